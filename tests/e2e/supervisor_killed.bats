# Workers do not go on without their supervisor: they drain shortly and leave.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "supervisor killed, workers alive: told at once, and nothing is left behind" {
	start_both
	client ann
	local first second sequencer
	first=$(worker_pid 0) second=$(worker_pid 1)
	sequencer=$(body '/health/websocket?verbose' | jq .sequencer.pid)

	kill -KILL "$GATEWAY"
	await 300 code_is /health/live 503
	await 3000 gone "$first"
	await 3000 gone "$second"
	await 3000 gone "$sequencer"
	await 1000 grep -q '^#close 1001' "$OUT"
	websocket '.server == "stopped" and .connections.active == 0'
}

@test "supervisor killed: workers that are stopped or in an endless loop go as well" {
	start_both PARLEY_HANG_ACT_MS=60000
	local looping stopped
	looping=$(worker_pid 0) stopped=$(worker_pid 1)
	"$TOOLS/wedge" "$looping" loop
	kill -STOP "$stopped"
	await 1500 websocket '.workers | all(.heartbeatAgeMs > 300)'

	kill -KILL "$GATEWAY"
	await 4000 gone "$looping"
	await 4000 gone "$stopped"
	await 300 health /health/live '.status == "error"'
}
