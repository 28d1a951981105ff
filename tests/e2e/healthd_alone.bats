# healthd starts in any order, and is missed by nobody when it is gone.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "healthd starts first: not ready, live for a start grace, then not" {
	start_healthd PARLEY_HEALTH_START_GRACE_MS=1500
	code_is /health/startup 503
	code_is /health/ready 503
	code_is /health/live 200
	code_is /health/websocket 503
	await 2500 code_is /health/live 503
	start_gateway
	await 300 code_is /health/live 200
	await 500 code_is /health/ready 200
	code_is /health/startup 200
}

@test "healthd killed: the gateway does not notice, parley-probe still answers" {
	start_both
	client ann
	kill -KILL "$HEALTHD"
	"$BIN/parley-probe" live
	"$BIN/parley-probe" ready
	start_healthd
	await 300 websocket '.status == "ok" and .connections.active == 1'
}

# $1: what it must never say.
first_answers_are_not() {
	local i said
	for ((i = 0; i < 100; i++)); do
		said=$(body /health/websocket | jq -r .status)
		[ "$said" != "$1" ] || return 1
	done
}

@test "healthd killed while the gateway hangs: the next one never calls it well" {
	start_both
	kill -STOP "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	await 1400 websocket '.status == "error"'
	kill -KILL "$HEALTHD"
	start_healthd
	first_answers_are_not ok
	websocket '.status == "error" and .server == "hung"'
}

@test "healthd killed while a worker hangs: the next one never calls it well" {
	start_both
	kill -STOP "$(worker_pid 0)"
	kill -KILL "$HEALTHD"
	start_healthd
	body /health/websocket | jq -e '.status == "degraded"'
}

@test "parley-probe: fails when the gateway is gone" {
	start_both
	kill -KILL "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	run "$BIN/parley-probe" live
	[ "$status" = 1 ]
}
