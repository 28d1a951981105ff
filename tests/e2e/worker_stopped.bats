# A stopped worker is told as hung, gets no new clients, and is replaced.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "a worker SIGSTOPped: hung (stopped) in a second, replaced in four" {
	start_both PARLEY_WORKERS=2
	local victim
	victim=$(worker_pid 0)
	kill -STOP "$victim"
	await 1200 websocket '.status == "degraded" and
		(.workers[] | select(.seat == 0) | .hang == "stopped")'
	websocket '.reasons | any(test("hung \\(stopped\\)"))'
	code_is /health/live 200
	await 4000 websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	[ "$(worker_pid 0)" != "$victim" ]
	await 3000 gone "$victim"
	# A stopped process takes no ABRT until it is woken; KILL would leave no core.
	websocket '.workers[] | select(.seat == 0) | .lastExit.reason == "hung" and .lastExit.signal == 6'
}

@test "a worker SIGSTOPped: no new client waits for it" {
	start_both PARLEY_WORKERS=2 PARLEY_HANG_ACT_MS=60000
	kill -STOP "$(worker_pid 0)"
	await 1200 websocket '.workers[] | select(.seat == 0) | .hang == "stopped"'
	# Nobody replaces it, so that only the other one can have taken these.
	clients 20
	websocket '.workers[] | select(.seat == 1) | .active == 20'
	websocket '.status == "degraded" and .restarts == 0'
}
