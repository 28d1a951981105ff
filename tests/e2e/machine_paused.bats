# A machine that was suspended wakes up to a gateway that blames nobody.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

well_for_a_while() { # a second of answers, none of which speaks of an abort
	websocket '.status == "ok" and .uptime > 8'
}

@test "machine paused: the supervisor sees its own late tick and aborts nobody" {
	start_both PARLEY_WORKERS=2
	client ann
	local all
	all="$GATEWAY $(worker_pid 0) $(worker_pid 1) $(body '/health/websocket?verbose' | jq .sequencer.pid)"
	kill -STOP $all
	await 6000 websocket '.workers | all(.heartbeatAgeMs > 5000)'
	kill -CONT $all
	await 10000 well_for_a_while
	websocket '.restarts == 0'
	grep -q 'late tick' "$DIR/gateway.log"
	! grep -q '^#close' "$OUT"
}
