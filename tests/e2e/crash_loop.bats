# A worker that dies again and again is restarted with growing pauses, and then called
# a crash loop, which only a restart of the whole may cure.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

kill_seats() { # every worker that lives now
	local pid
	for pid in $(body '/health/websocket?verbose' | jq -r '.workers[].pid // empty'); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	websocket '.workers | all(.state == "crash_loop")'
}

@test "crash loop: five deaths in a minute, live 503" {
	start_both PARLEY_WORKERS=1
	await 20000 kill_seats
	await 200 code_is /health/live 503
	health /health/live '.reason | test("crash loop")'
	grep -q 'restart.*delay_ms' "$DIR/gateway.log"
}

@test "crash loop: a configuration error is not retried" {
	run env PARLEY_WORKERS=65 "$BIN/parley-gateway"
	[ "$status" = 78 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *PARLEY_WORKERS* ]]
}

@test "crash loop: a worker that leaves with a configuration error is not retried" {
	start_both PARLEY_WORKERS=2
	local victim
	victim=$(worker_pid 1)
	"$TOOLS/wedge" "$victim" config
	await 5000 gone "$GATEWAY"
	run wait "$GATEWAY"
	[ "$status" = 78 ]
	! grep -q 'worker restart' "$DIR/gateway.log" || false
	code_is /health/live 503
}
