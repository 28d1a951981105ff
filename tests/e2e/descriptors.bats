# Out of descriptors, a worker pauses accepting without spinning, and says so.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

cpu_ticks() { # cpu_ticks PID
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

quarter_second_passed() {
	(($(now_ms) - since >= 1000))
}

@test "descriptors exhausted in a worker: accepting pauses, degraded, then goes on" {
	# Low enough that 200 clients do not fit, high enough for the gateway itself.
	ulimit -Sn 120 && ulimit -Hn 120
	start_gateway PARLEY_WORKERS=1
	ulimit -Sn 120
	start_healthd
	await 2000 code_is /health/ready 200
	(
		exec "$TOOLS/load" idle 100 "127.0.0.1:$PORT" <>"$DIR/never" >"$DIR/load1.log" 2>&1
	) &
	local one=$!
	mkfifo "$DIR/never2"
	"$TOOLS/load" idle 60 "127.0.0.1:$PORT" <>"$DIR/never2" >"$DIR/load2.log" 2>&1 &
	local two=$!
	PIDS+=("$one" "$two")
	await 3000 websocket '.status == "degraded" and (.reasons | any(test("accept")))'
	code_is /health/ready 503
	local pid before since
	pid=$(worker_pid 0) before=$(cpu_ticks "$pid") since=$(now_ms)
	await 2000 quarter_second_passed
	[ $(($(cpu_ticks "$pid") - before)) -lt 30 ]
	kill "$one" "$two"
	await 5000 websocket '.status == "ok" and .connections.active == 0'
	await 1000 code_is /health/ready 200
}
