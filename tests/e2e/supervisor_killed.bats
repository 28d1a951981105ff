# Workers do not go on without their supervisor: they drain shortly and leave.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "supervisor killed, workers alive: told at once, and nothing is left behind" {
	start_both
	client ann
	local first second
	first=$(worker_pid 0) second=$(worker_pid 1)

	kill -KILL "$GATEWAY"
	await 300 code_is /health/live 503
	await 3000 gone "$first"
	await 3000 gone "$second"
	await 1000 grep -q '^#close 1001' "$OUT"
	websocket '.server == "stopped" and .connections.active == 0'
}
