# A gateway killed as a whole is told with the next request: stopped, nobody connected,
# not live, and the metrics say that it is down.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

kill_gateway() {
	local pids
	pids="$GATEWAY $(worker_pid 0) $(worker_pid 1)"
	kill -KILL $pids
}

@test "whole gateway SIGKILLed: the next request tells it" {
	start_both
	clients 20
	await 1000 websocket '.connections.active == 20'

	kill_gateway
	await 200 health /health/websocket '.status == "error"'
	websocket '.server == "stopped" and .connections.active == 0'
	websocket '.connections.total == 20'
	websocket '.reasons | any(test("gateway"))'
	code_is /health/websocket 503
	code_is /health/live 503
	code_is /health/ready 503
	body /metrics | grep -qx 'parley_up 0'
}

@test "whole gateway SIGKILLed: a new one is noticed and takes the name over" {
	start_both
	kill_gateway
	await 200 code_is /health/live 503
	start_gateway
	await 500 health /health/websocket '.status == "ok" and .connections.total == 0'
	await 500 code_is /health/ready 200
}
