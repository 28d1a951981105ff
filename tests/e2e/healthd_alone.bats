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

@test "parley-probe: fails when the gateway is gone" {
	start_both
	kill -KILL "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	run "$BIN/parley-probe" live
	[ "$status" = 1 ]
}
