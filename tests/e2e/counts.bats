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
	start_both PARLEY_WORKERS=2 PARLEY_AUDIT_INTERVAL_MS=300 PARLEY_CANARY_INTERVAL_MS=1000
	local seconds=${STORM_SECONDS:-6} end last=0 total polls=0 kill_at
	"$TOOLS/load" storm 1000 "$seconds" "127.0.0.1:$PORT" >"$DIR/storm.log" 2>&1 &
	local storm=$!
	PIDS+=("$storm")
	kill_at=$(($(now_ms) + 1000)) end=$(($(now_ms) + seconds * 1000))
	while (($(now_ms) < end || polls < ${STORM_POLLS:-200})); do
		total=$(body /health/websocket | jq '.connections.total // 0')
		[ "$total" -ge "$last" ]
		last=$total
		((++polls))
		if (($(now_ms) > kill_at)); then # not so often that it were a crash loop
			kill -KILL "$(worker_pid $((RANDOM % 2)))"
			kill_at=$(($(now_ms) + 3000 + RANDOM % 2000))
		fi
	done
	wait "$storm"
	sed 's/^/# /' "$DIR/storm.log" >&3
	[[ $(<"$DIR/storm.log") =~ started=([0-9]+)\ opened=([0-9]+).*abandoned=([0-9]+) ]]
	((BASH_REMATCH[2] * 100 > (BASH_REMATCH[1] - BASH_REMATCH[3]) * 95))
	clients 10
	await 3000 agrees_with_kernel
	await 1000 websocket '.connections.active == 10'
	kill "$LOAD"
	await 1000 websocket '.connections.active == 0 and .closing == 0 and .handshaking == 0'
	[ "$(established)" = 0 ]
	websocket ".connections.total >= $last and $last > 1000"
	await 2000 health /health '.components.audit | .status == "ok" and .drift == 0'
	! grep 'audit changed status=degraded' "$DIR/healthd.log"
}
