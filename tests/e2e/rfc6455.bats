# Every rule of RFC 6455 that a server can break, with raw bytes on a socket; and what
# else arrives on the gateway's port leaves the worker answering and idle.

load lib
setup() {
	setup_daemons
	start_gateway PARLEY_WORKERS=1 PARLEY_MESSAGE_MAX=1024
}
teardown() { teardown_daemons; }

judge() {
	run "$PYTHON" "$ROOT/tests/e2e/rfc6455.py" "$PORT" "$1"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c '^ok' <<<"$output")" -ge "$2" ]
}

idle() { # the worker uses no processor: two looks 300 ms apart see at most 3 ticks
	local pid=$1 before since
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat") since=$(now_ms)
	while (($(now_ms) - since < 300)); do pause; done
	[ $(($(awk '{ print $14 + $15 }' "/proc/$pid/stat") - before)) -le 3 ]
}

@test "RFC 6455: every frame rule, with raw bytes" {
	judge frames 60
}

@test "RFC 6455: the handshake, with raw bytes" {
	judge handshake 25
}

@test "512 pipelined, chunked or oversized requests leave the worker answering and idle" {
	start_healthd
	judge http 9
	await 2000 idle "$(worker_pid 0)"
	client ann
	websocket '.restarts == 0'
}
