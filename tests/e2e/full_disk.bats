# A full disk is told in one sentence at start, and stops nothing that already runs.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "disk full (/dev/shm at start): refused with one sentence" {
	unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
	run unshare -m bash -c "mount -t tmpfs -o size=16k none /dev/shm && exec '$BIN/parley-gateway'"
	[ "$status" != 0 ] && [ "$status" -lt 128 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"No space left"* ]]
}

@test "disk full (log): everything else goes on" {
	start_healthd
	"$BIN/parley-gateway" >/dev/full 2>&1 &
	GATEWAY=$!
	PIDS+=("$GATEWAY")
	await 3000 code_is /health/ready 200
	PORT=$(body '/health/websocket?verbose' | jq .port)
	client ann
	kill -KILL "$(worker_pid 0)"
	await 1000 websocket '.status == "ok" and .restarts == 1'
	kill -TERM "$GATEWAY"
	await 5000 gone "$GATEWAY"
}
