# A killed worker is told, its connections no longer count, totals never go back, and
# a replacement serves at once.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "one worker killed: degraded while it lasts, then whole again" {
	start_both PARLEY_WORKERS=2
	clients 40
	await 1000 websocket '.connections.active == 40'
	local victim kept total
	victim=$(worker_pid 1)
	kept=$(body '/health/websocket?verbose' | jq '.workers[] | select(.seat == 0) | .active')

	kill -KILL "$victim"
	await 200 websocket ".connections.active == $kept"
	await 500 websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	websocket '.connections.total >= 40'
	websocket '.workers[] | select(.seat == 1) | .restarts == 1 and .lastExit.signal == 9'
	[ "$(worker_pid 1)" != "$victim" ]
	code_is /health/live 200
	body /metrics | grep -q 'parley_worker_restarts_total{.*reason="killed".*} 1'
}

@test "one worker killed: clients waiting in its queue are served" {
	start_both PARLEY_WORKERS=2
	kill -STOP "$(worker_pid 1)"
	local victim
	victim=$(worker_pid 1)
	mkfifo "$DIR/never"
	"$TOOLS/load" idle 40 "127.0.0.1:$PORT" <>"$DIR/never" >"$DIR/wait.log" 2>&1 &
	PIDS+=($!)
	kill -KILL "$victim"
	await 1000 grep -q '^open 40' "$DIR/wait.log"
}
