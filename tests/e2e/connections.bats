# Links that are going, gone or never came are told apart from active ones.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "a half-open peer is found by ping within the announced time" {
	start_both PARLEY_PING_INTERVAL_MS=300 PARLEY_PING_TIMEOUT_MS=300
	clients 5
	kill -STOP "$LOAD"
	await 2000 websocket '.connections.active == 0'
	body /metrics | grep -q 'connections_closed_total{reason="timeout"} 5'
}

@test "a client that answers pings stays, and is asked as often however long it may take" {
	start_both PARLEY_PING_INTERVAL_MS=200 PARLEY_PING_TIMEOUT_MS=60000
	client ann
	three_pings() { body /metrics | grep -E '^parley_pings_sent_total [3-9]'; }
	await 3000 three_pings
	websocket '.connections.active == 1'
}

@test "closing links are told apart from active ones" {
	start_both PARLEY_CLOSE_TIMEOUT_MS=3000
	# By hand: a client that breaks the rules, is told so, and does not leave.
	exec {stubborn}<>"/dev/tcp/127.0.0.1/$PORT"
	printf '%s\r\n' 'GET /chat HTTP/1.1' 'Host: h' 'Connection: Upgrade' 'Upgrade: websocket' \
		'Sec-WebSocket-Version: 13' 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' '' >&"$stubborn"
	await 1000 websocket '.connections.active == 1'
	printf '\x81\x01x' >&"$stubborn"
	await 1000 websocket '.connections.active == 0 and .closing == 1'
	await 4000 websocket '.closing == 0'
	exec {stubborn}>&-
}

@test "a connection that never says anything is let go" {
	start_both PARLEY_HANDSHAKE_TIMEOUT_MS=300
	exec {silent}<>"/dev/tcp/127.0.0.1/$PORT"
	await 500 websocket '.handshaking == 1'
	await 1500 websocket '.handshaking == 0'
	exec {silent}>&-
}

@test "connection limits: 503 in all, 429 from one address, with Retry-After" {
	start_both PARLEY_WORKERS=1 PARLEY_CONNECTIONS_MAX=20 PARLEY_CONNECTIONS_PER_ADDRESS_MAX=10
	clients 10
	run curl -si -m 2 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
		-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "http://127.0.0.1:$PORT/chat"
	[[ $output == *"429 Too Many Requests"* && $output == *"Retry-After: "* ]]
}
