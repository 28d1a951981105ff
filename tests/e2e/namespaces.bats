# healthd in another container: pid, time, user and mount namespaces of its own change
# nothing of what it says, also about death.

load lib
setup() {
	setup_daemons
	unshare --pid --fork --time --boottime 100000 --monotonic 100000 true 2>/dev/null ||
		skip "no namespaces can be made here"
}
teardown() { teardown_daemons; }

@test "separate pid and time namespaces: the same answers as without" {
	start_gateway
	unshare --pid --fork --mount-proc --ipc --time --monotonic 100000 \
		"$BIN/parley-healthd" >"$DIR/healthd.log" 2>&1 &
	PIDS+=($!)
	await 5000 grep -q 'healthd listening' "$DIR/healthd.log"
	HEALTHD=$(pgrep -P $! | head -1)
	PIDS+=("$HEALTHD")
	HEALTH=http://127.0.0.1:$(sed -n 's/.*healthd listening.* port=\([0-9]*\).*/\1/p' "$DIR/healthd.log")
	clients 7
	await 1000 websocket '.status == "ok" and .connections.active == 7 and .uptime < 60'
	kill -STOP "$(worker_pid 1)"
	await 1400 websocket '.workers[] | select(.seat == 1) | .heartbeatAgeMs > 900'
	kill -KILL "$GATEWAY"
	await 300 code_is /health/live 503
}
