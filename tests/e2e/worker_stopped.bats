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
	# New clients are all served by the other one.
	clients 20
	await 4000 websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	[ "$(worker_pid 0)" != "$victim" ]
	await 3000 gone "$victim"
	websocket '.workers[] | select(.seat == 0) | .lastExit.reason == "hung"'
}
