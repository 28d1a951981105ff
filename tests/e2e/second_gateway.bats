# One gateway per name: the second refuses with one sentence, the first is untouched.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "second gateway on the same name: refuses to start" {
	start_both
	client ann
	run timeout 5 "$BIN/parley-gateway"
	[ "$status" != 0 ] && [ "$status" != 124 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"$SEGMENT"* ]]
	websocket ".status == \"ok\" and .connections.active == 1"
	[ -e "/dev/shm/$SEGMENT" ]
}

@test "hostile local reader: a lock of its own does not fake a life" {
	start_both
	kill -KILL "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	await 300 code_is /health/live 503
	"$PYTHON" - "/dev/shm/$SEGMENT" <<-'END' &
		import fcntl, signal, sys
		file = open(sys.argv[1], "rb")
		fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 0)
		print("locked", flush=True)
		signal.pause()
	END
	PIDS+=($!)
	await 2000 grep -q POSIX.*READ /proc/locks
	code_is /health/live 503
	websocket '.server == "stopped"'
}

@test "hostile local reader: outside the group nothing can be read" {
	start_both
	run setpriv --reuid=65534 --regid=65534 --clear-groups cat "/dev/shm/$SEGMENT"
	[ "$status" != 0 ]
	[ "$(stat -c %a "/dev/shm/$SEGMENT")" = 640 ]
}
