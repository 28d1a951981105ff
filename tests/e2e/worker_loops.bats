# A worker in an endless loop or a blocking call is told with what it was doing, and
# replaced; the others are untouched. On a machine with no time left it is told as starved instead.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "endless loop in a worker: hung (loop) in a second, replaced in four" {
	start_both PARLEY_WORKERS=2
	local victim other
	victim=$(worker_pid 0) other=$(worker_pid 1)
	"$TOOLS/wedge" "$victim" loop
	await 1400 websocket '.workers[] | select(.seat == 0) | .hang == "loop"'
	websocket '.reasons | any(test("worker 0 hung \\(loop\\) [0-9.]+ s in [a-z]+"))'
	await 4000 websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	await 3000 gone "$victim"
	[ "$(worker_pid 1)" = "$other" ]
	# Not KILL, which would leave no core.
	websocket '.workers[] | select(.seat == 0) | .lastExit.reason == "hung" and .lastExit.signal == 6'
}

@test "blocking call in a worker: hung (blocked), replaced in four seconds" {
	start_both PARLEY_WORKERS=2
	local victim
	victim=$(worker_pid 0)
	# Blocked while it waits for work would look idle: have it busy when it is hit.
	"$TOOLS/wedge" "$victim" block
	await 1400 websocket '.workers[] | select(.seat == 0) | .hang == "blocked"'
	await 4000 websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	await 3000 gone "$victim"
}
