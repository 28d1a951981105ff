# Slow, silent or hostile HTTP clients cannot keep a probe from being answered.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

hold_connections() { # hold_connections N [BYTES]: idle connections to healthd
	"$PYTHON" - "${HEALTH##*:}" "$1" "${2:-}" >"$DIR/hold.log" 2>&1 <<-'END' &
		import resource, signal, socket, sys
		port, n, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
		hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
		resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
		held = []
		for i in range(n):
		    s = socket.create_connection(("127.0.0.1", port))
		    if text:
		        s.send(text)
		    held.append(s)
		print("held", len(held), flush=True)
		signal.pause()
	END
	PIDS+=($!)
	await 20000 grep -q '^held' "$DIR/hold.log"
}

@test "5,000 idle connections at healthd: a probe is still answered, in 5 ms at p99" {
	start_both
	hold_connections 5000
	code_is /health/live 200
	websocket '.status == "ok"'
	run "$TOOLS/probes" "${HEALTH##*:}" /health/live 1000 1
	echo "$output"
	[ "$status" = 0 ]
	[[ $output =~ p99_us=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -lt $((5000 * TOLERANCE)) ]
}

@test "5,000 half requests at healthd: a probe is still answered" {
	start_both
	hold_connections 5000 'GET /health/live HTTP/1.1'
	code_is /health/live 200
}

@test "descriptors exhausted at healthd: a probe is still answered" {
	start_gateway
	ulimit -Sn 40 && start_healthd && ulimit -Sn 10000
	hold_connections 500
	code_is /health/live 200
	websocket '.status == "ok"'
	kill -0 "$HEALTHD"
}
