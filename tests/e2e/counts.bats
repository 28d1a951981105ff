# Counts are true by construction: after a storm with workers killed at random they equal
# the kernel's own list, and totals never go back.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

# Sockets that the kernel has as established on the gateway's port, its side.
established() {
	ss -Htn state established "sport = :$PORT" | wc -l
}
agrees_with_kernel() {
	local n
	n=$(established)
	websocket "(.connections.active + .closing + .handshaking) == $n"
}

@test "connection counts after a storm with workers SIGKILLed: equal to the kernel's, drift 0" {
	start_both PARLEY_WORKERS=2
	local seconds=${STORM_SECONDS:-6} end last=0 total polls=0
	"$TOOLS/load" storm 1000 "$seconds" "127.0.0.1:$PORT" >"$DIR/storm.log" 2>&1 &
	local storm=$!
	PIDS+=("$storm")
	end=$(($(now_ms) + seconds * 1000))
	while (($(now_ms) < end || polls < 100)); do
		total=$(body /health/websocket | jq '.connections.total // 0')
		[ "$total" -ge "$last" ]
		last=$total
		((++polls % 25)) || kill -KILL "$(worker_pid $((RANDOM % 2)))" 2>/dev/null || true
	done
	wait "$storm"
	clients 10
	await 3000 agrees_with_kernel
	await 1000 websocket '.connections.active == 10'
	kill "$LOAD"
	await 1000 websocket '.connections.active == 0 and .closing == 0 and .handshaking == 0'
	[ "$(established)" = 0 ]
	websocket ".connections.total >= $last and $last > 1000"
}
