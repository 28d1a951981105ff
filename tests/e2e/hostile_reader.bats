# Who may read the segment learns counters and no more: he cannot write to it, fake a
# life, or keep a process of the gateway from its own.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

# lock_all: a lock on every byte of the segment, held by one who may only read it.
lock_all() {
	"$PYTHON" - "/dev/shm/$SEGMENT" >"$DIR/lock.log" 2>&1 <<-'END' &
		import fcntl, signal, sys
		file = open(sys.argv[1], "rb")
		# A byte at a time: those of the living are theirs.
		for at in range(200):
		    try:
		        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, at)
		    except OSError:
		        pass
		print("locked", flush=True)
		signal.pause()
	END
	LOCKER=$!
	PIDS+=("$LOCKER")
	await 2000 grep -q locked "$DIR/lock.log"
}

@test "hostile local reader: outside the group nothing can be read" {
	start_both
	[ "$(id -u)" = 0 ] || skip "another user can only be played by root"
	run setpriv --reuid=65534 --regid=65534 --clear-groups cat "/dev/shm/$SEGMENT"
	[ "$status" != 0 ]
	[ "$(stat -c %a "/dev/shm/$SEGMENT")" = 640 ]
}

@test "hostile local reader: in the group, yet it can only read" {
	start_both
	[ "$(id -u)" = 0 ] || skip "another user can only be played by root"
	local group
	group=$(stat -c %g "/dev/shm/$SEGMENT")
	as_reader() { setpriv --reuid=65534 --regid="$group" --clear-groups "$@"; }
	as_reader head -c 8 "/dev/shm/$SEGMENT" | grep -q PARLEY
	run as_reader sh -c "echo x >>/dev/shm/$SEGMENT"
	[ "$status" != 0 ]
	run as_reader rm -f "/dev/shm/$SEGMENT"
	[ "$status" != 0 ]
	# A lock that keeps others out needs a descriptor for writing.
	run as_reader "$PYTHON" -c "import fcntl; fcntl.lockf(open('/dev/shm/$SEGMENT', 'rb'), fcntl.LOCK_EX)"
	[ "$status" != 0 ]
	websocket '.status == "ok"'
}

@test "hostile local reader: its lock does not fake a life" {
	start_both
	kill -KILL "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	await 300 code_is /health/live 503
	lock_all
	code_is /health/live 503
	websocket '.server == "stopped" and .connections.active == 0'
	kill -0 "$LOCKER"
}

rolled() { # rolled OLD0 OLD1
	websocket '.workers | all(.state == "serving")' &&
		[ "$(worker_pid 0)" != "$1" ] && [ "$(worker_pid 1)" != "$2" ]
}

@test "hostile local reader: its locks on free slots keep no worker from them" {
	start_both PARLEY_WORKERS=2
	lock_all
	# New workers come beside the old ones, so that the slots they take are locked.
	local first second
	first=$(worker_pid 0) second=$(worker_pid 1)
	kill -HUP "$GATEWAY"
	await 5000 rolled "$first" "$second"
	await 500 websocket '.status == "ok" and .restarts == 0'
	clients 10
	await 500 websocket '.connections.active == 10'
	# The death of one that has no lock is told as well, by the supervisor.
	kill -KILL "$(worker_pid 0)"
	await 1000 websocket '.restarts == 1 and (.workers | all(.state == "serving"))'
	websocket '.connections.active < 10'
}

@test "hostile local reader: its locks keep no new gateway from starting" {
	start_both PARLEY_WORKERS=2
	kill -KILL "$GATEWAY"
	await 3000 websocket '.server == "stopped" and .connections.active == 0'
	lock_all
	code_is /health/live 503
	start_gateway
	await 1000 websocket '.status == "ok"'
	kill -0 "$LOCKER"
}
