# The canary is a client of its own: it tells what beats and pings cannot.
load lib
load auth

setup() {
	setup_daemons
	export PARLEY_CANARY_INTERVAL_MS=1000 PARLEY_CANARY_TIMEOUT_MS=300
}
teardown() { teardown_daemons; }

canary() { # canary JQ-CONDITION, on its component
	health '/health?verbose' ".components.canary | $1"
}

@test "each worker is reached through store and bus, and nobody is counted" {
	start_both PARLEY_WORKERS=4
	await 3000 canary '.status == "ok" and ([.workers[] | select(.deliveredMs > 0)] | length) == 4'
	health /health/websocket '.status == "ok" and .connections == {"active": 0, "total": 0}'
	[ "$(metric canary_passed_total)" -ge 4 ]
	[ "$(metric 'canary_round_trip_seconds_count')" -ge 4 ]
	# Nor does a client see it, or get into its room.
	client ann
	say '{"op":"join","room":"parley.canary","ref":1}'
	await 2000 grep -q '"ref":1,"code":"forbidden"' "$OUT"
	websocket '.connections == {"active": 1, "total": 1}'
}

@test "a deaf gateway that answers and pings is told within two intervals, and recovers" {
	start_both PARLEY_HANG_REPORT_MS=60000 PARLEY_HANG_ACT_MS=600000
	await 3000 canary '.status == "ok"'
	client ann
	local sequencer
	sequencer=$(body '/health/websocket?verbose' | jq .sequencer.pid)
	kill -STOP "$sequencer"
	await 2000 health /health/websocket '.status == "degraded" and (.reason | test("the canary failed at sent [0-9]+ times in a row"))'
	say '{"op":"ping","ref":7}' # everything else seems well
	await 1000 grep -q '"op":"pong","ref":7' "$OUT"
	code_is /health/live 200
	code_is /health/ready 200
	[ "$(metric 'canary_failed_total{stage="sent"}')" -ge 2 ]
	kill -CONT "$sequencer"
	await 2000 canary '.status == "ok"'
	await 1000 health /health/websocket '.status == "ok"'
}

@test "its room does not grow, and its messages are new ones" {
	start_both PARLEY_CANARY_INTERVAL_MS=100 PARLEY_CANARY_TIMEOUT_MS=100
	await 3000 canary '.status == "ok"'
	await 5000 eval '[ "$(metric store_committed_messages_total)" -ge 10 ]'
	[ "$(metric store_repeats_total)" = 0 ]
}

@test "where tokens are asked for it is off without one, and reads one anew each time" {
	secret "$DIR/key"
	start_gateway PARLEY_AUTH=jwt PARLEY_JWT_KEY_FILE="$DIR/key"
	start_healthd
	await 3000 canary '.status == "off" and (.reason | test("no token"))'
	health /health/websocket '.status == "ok"'
	kill "$HEALTHD"
	await 2000 gone "$HEALTHD"
	start_healthd PARLEY_CANARY_TOKEN_FILE="$DIR/token"
	await 3000 canary '.status == "unknown" and (.reason | test("token cannot be read"))'
	token '{"sub":"canary","exp":"+60"}' >"$DIR/token"
	await 3000 canary '.status == "ok"'
	! grep -rq "$(cut -d. -f2 "$DIR/token")" "$DIR"/*.log
}
