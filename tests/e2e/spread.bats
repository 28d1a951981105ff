# New clients are spread evenly over the workers, within a tenth, whether they come one by
# one or all at once; and a worker that hangs keeps nobody waiting who comes to another.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

# By hand: no process a client. `answered` waits until the worker has let it in.
arrive() {
	exec {ARRIVED}<>"/dev/tcp/127.0.0.1/$PORT"
	printf '%s\r\n' 'GET /chat?user=ann HTTP/1.1' 'Host: h' 'Connection: Upgrade' 'Upgrade: websocket' \
		'Sec-WebSocket-Version: 13' 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' '' >&"$ARRIVED"
}
answered() {
	local status
	IFS= read -rt $((3 * TOLERANCE)) status <&"$ARRIVED"
	[[ $status == 'HTTP/1.1 101 '* ]]
}
one_by_one() { # one_by_one N
	local i
	for ((i = 0; i < $1; i++)); do
		arrive
		answered
	done
}

spread_evenly() { # spread_evenly N: that many in all
	websocket "[.workers[].active] | add == $1 and
		(add / length) as \$even | all(. >= \$even * 0.9 and . <= \$even * 1.1)"
}

@test "clients that come one by one are spread evenly over 12 workers" {
	start_both PARLEY_WORKERS=12
	one_by_one 360
	spread_evenly 360
}

@test "clients that come all at once are spread evenly over 4 workers" {
	start_both PARLEY_WORKERS=4
	clients 2000
	spread_evenly 2000
}

@test "a worker that was replaced gets the clients that come next" {
	start_both PARLEY_WORKERS=4
	one_by_one 160
	kill -KILL "$(worker_pid 0)"
	await 3000 websocket '.restarts == 1 and (.workers | all(.state == "serving"))'
	one_by_one $((160 - $(body /health/websocket | jq .connections.active)))
	# Of 40; by chance it would be 10.
	websocket '.workers[] | select(.seat == 0) | .active >= 30'
}

@test "a worker that hangs, and has the fewest clients, keeps nobody of the others waiting" {
	local i
	# Long before anybody says that it hangs.
	start_both PARLEY_WORKERS=2 PARLEY_HANG_REPORT_MS=30000 PARLEY_HANG_ACT_MS=60000
	one_by_one 4
	kill -STOP "$(worker_pid 0)"
	for ((i = 0; i < 40; i++)); do arrive; done
	await 1000 websocket '.workers[] | select(.seat == 1) | .active >= 10'
	kill -CONT "$(worker_pid 0)"
	await 3000 websocket '.connections.active == 44'
}
