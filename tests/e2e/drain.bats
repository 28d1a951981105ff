# A leaving gateway is gentle: not ready first, clients told and closed at a pace, gone
# before the deadline, also with clients that never answer.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "drain on TERM: readiness goes off first, clients are told and closed with 1001" {
	start_both PARLEY_DRAIN_ANNOUNCE_MS=2500 PARLEY_DRAIN_SPREAD_MS=500
	client ann
	kill -TERM "$GATEWAY"
	await 300 code_is /health/ready 503
	websocket '.server == "draining" and .status == "degraded" and .connections.active == 1'
	code_is /health/live 200
	code_is /health/websocket 200
	await 3000 grep -q '"op":"drain"' "$OUT"
	await 3000 grep -q '^#close 1001' "$OUT"
	await 3000 gone "$GATEWAY"
	wait "$GATEWAY"
	[ ! -e "/dev/shm/$SEGMENT" ]
	await 300 websocket '.server == "stopped" and .connections.active == 0'
}

@test "drain with clients that never answer: gone before the deadline" {
	start_both PARLEY_DRAIN_SPREAD_MS=200 PARLEY_DRAIN_DEADLINE_MS=4000 PARLEY_CLOSE_TIMEOUT_MS=500
	clients 50
	kill -STOP "$LOAD"
	kill -TERM "$GATEWAY"
	await 4000 gone "$GATEWAY"
	wait "$GATEWAY"
}

@test "drain hurried by a second TERM" {
	start_both PARLEY_DRAIN_ANNOUNCE_MS=60000
	kill -TERM "$GATEWAY"
	await 500 websocket '.server == "draining"'
	kill -TERM "$GATEWAY"
	await 3000 gone "$GATEWAY"
}
