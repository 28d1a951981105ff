# healthd in another container: pid, time, user and mount namespaces of its own change
# nothing of what it says, also about death.

load lib
setup() {
	setup_daemons
	unshare --pid --fork --mount-proc --ipc --time --monotonic 100000 true 2>/dev/null ||
		skip "no namespaces can be made here"
}
teardown() { teardown_daemons; }

# apart_healthd FLAG...: healthd under unshare with these flags besides.
apart_healthd() {
	unshare --pid --fork --mount-proc --ipc --time --monotonic 100000 "$@" \
		"$BIN/parley-healthd" >"$DIR/healthd.log" 2>&1 &
	local outside=$! # a pause in await makes another one of $!
	PIDS+=("$outside")
	await 5000 grep -q 'healthd listening' "$DIR/healthd.log"
	HEALTHD=$(pgrep -P "$outside" | head -1)
	PIDS+=("$HEALTHD")
	HEALTH=http://127.0.0.1:$(sed -n 's/.*healthd listening.* port=\([0-9]*\).*/\1/p' "$DIR/healthd.log")
}

same_answers() {
	clients 7
	await 1000 websocket '.status == "ok" and .connections.active == 7 and .uptime < 60'
	kill -STOP "$(worker_pid 1)"
	await 1400 websocket '.workers[] | select(.seat == 1) | .heartbeatAgeMs > 900'
	kill -KILL "$GATEWAY"
	await 300 code_is /health/live 503
}

@test "separate pid and time namespaces: the same answers as without" {
	start_gateway
	apart_healthd
	same_answers
}

@test "separate user namespace as well: the same answers as without" {
	unshare --user --map-root-user true 2>/dev/null || skip "no user namespace can be made here"
	start_gateway
	apart_healthd --user --map-root-user
	same_answers
}

@test "pid reuse: a dead gateway's pids, taken by others, fake no life" {
	# In a namespace of its own the supervisor is process 1, and 1 lives here too.
	unshare --pid --fork --kill-child "$BIN/parley-gateway" >"$DIR/gateway.log" 2>&1 &
	GATEWAY=$!
	PIDS+=("$GATEWAY")
	await 5000 grep -q 'gateway ready' "$DIR/gateway.log"
	start_healthd
	await 2000 websocket '.status == "ok"'
	local supervisor
	supervisor=$("$BIN/parley-stat" --json | jq .supervisor.pid)
	[ "$supervisor" = 1 ]
	kill -0 "$supervisor"
	kill -KILL "$GATEWAY"
	await 300 code_is /health/live 503
	websocket '.server == "stopped" and .connections.active == 0'
	kill -0 "$supervisor"
}
