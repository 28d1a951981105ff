# Thousands who connect at once, after all workers died: all are in soon, no worker is
# hung, nobody is forgotten. STORM=50000 is the long form (tests/bench/run storm).
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "a connect storm of 5,000 after every worker was killed" {
	use_store sqlite
	unset PARLEY_HANDSHAKES_PER_SECOND PARLEY_HANDSHAKES_PER_ADDRESS # as they are
	start_both PARLEY_WORKERS=2
	mkfifo "$DIR/storm.in"
	"$TOOLS/load" idle 5000 --reconnect --room storm "127.0.0.1:$PORT" \
		<>"$DIR/storm.in" >"$DIR/storm.log" 2>&1 &
	PIDS+=($!)
	await 20000 grep -q '^open 5000' "$DIR/storm.log"
	kill -KILL "$(worker_pid 0)" "$(worker_pid 1)"
	await 20000 websocket '.connections.active == 5000 and (.workers | all(.state == "serving"))'
	websocket '.workers | all(.restarts == 1)'
	await 2000 code_is /health/ready 200
}

@test "more than a worker takes in a second are told to come again, and come in" {
	start_both PARLEY_WORKERS=2 PARLEY_HANDSHAKES_PER_SECOND=200
	clients 1500 # they come again after 200 ms, whatever they are told
	(($(metric 'handshakes_late_total{limit="worker"}') > 0))
	websocket '.connections.total == 1500 and (.workers | all(.restarts == 0))'
}

@test "one address takes no more than its part" {
	local i tries=()
	start_both PARLEY_WORKERS=1 PARLEY_HANDSHAKES_PER_ADDRESS=1
	for i in 1 2 3 4; do
		curl -si -m 2 -o "$DIR/answer.$i" -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
			-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "http://127.0.0.1:$PORT/chat" &
		tries+=($!)
	done
	wait "${tries[@]}" || true # who is let in stays until the time is over
	grep -q '101 Switching' "$DIR"/answer.*
	grep -q '429 Too Many Requests' "$DIR"/answer.*
	grep -q 'Retry-After: [123]' "$DIR"/answer.*
	[ "$(metric 'handshakes_late_total{limit="address"}')" -gt 0 ]
}
