# With every worker hung nobody can be served, but the supervisor heals: not live yet.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "all workers hung, supervisor well: websocket 503, live 200" {
	start_both PARLEY_WORKERS=2
	clients 10
	kill -STOP "$(worker_pid 0)" "$(worker_pid 1)"
	await 1200 websocket '.status == "error" and .server == "hung"'
	code_is /health/websocket 503
	code_is /health/live 200
	websocket '.connections.active == null'
	await 40000 websocket '.status == "ok"'
}
