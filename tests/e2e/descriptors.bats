# Out of descriptors, a worker pauses accepting without spinning, and says so.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

cpu_ticks() { # cpu_ticks PID
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

second_passed() {
	(($(now_ms) - since >= 1000))
}

hold() { # hold N: N clients by one process that never mind being let wait; sets HELD
	local fifo=$DIR/hold-$((++CLIENTS)).in
	mkfifo "$fifo"
	"$TOOLS/load" idle "$1" "127.0.0.1:$PORT" <>"$fifo" >"$DIR/hold-$CLIENTS.log" 2>&1 &
	HELD=$!
	PIDS+=("$HELD")
}

@test "descriptors exhausted in a worker: accepting pauses, degraded, then goes on" {
	start_gateway PARLEY_WORKERS=1 prlimit --nofile=120:120
	start_healthd
	await 2000 code_is /health/ready 200
	hold 80
	local one=$HELD
	hold 80
	local two=$HELD
	await 3000 websocket '.status == "degraded" and (.reasons | any(test("accept")))'
	await 500 code_is /health/ready 503
	code_is /health/live 200
	local pid before since
	pid=$(worker_pid 0) before=$(cpu_ticks "$pid") since=$(now_ms)
	await 2000 second_passed
	[ $(($(cpu_ticks "$pid") - before)) -lt 30 ]
	kill "$one" "$two"
	await 5000 websocket '.status == "ok" and .connections.active == 0'
	await 1000 code_is /health/ready 200
}
