# Whatever happens to the segment, healthd answers, says what is wrong, and guesses no number.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "segment deleted: told in words, and put back by the supervisor" {
	start_both
	clients 5
	local inode
	inode=$(stat -c %i "/dev/shm/$SEGMENT")
	rm "/dev/shm/$SEGMENT"
	health /health/websocket '.connections.active == 5'
	await 1000 test -e "/dev/shm/$SEGMENT"
	[ "$(stat -c %i "/dev/shm/$SEGMENT")" = "$inode" ]
	grep -q 'segment.*put back' "$DIR/gateway.log"
	await 500 websocket '.status == "ok"'
}

@test "segment truncated: 503 with the exact reason, no number guessed" {
	start_both
	truncate -s 100 "/dev/shm/$SEGMENT"
	code_is /health/websocket 503
	websocket '.connections.active == null and .connections.total == null'
	websocket '.segment.look == "short"'
	kill -0 "$HEALTHD"
}

@test "segment cut in the middle: no old number stands in for what is missing" {
	start_both
	clients 3
	await 500 websocket '.connections.active == 3'
	truncate -s $(($(stat -c %s "/dev/shm/$SEGMENT") / 2)) "/dev/shm/$SEGMENT"
	code_is /health/websocket 503
	websocket '.connections.active == null and .segment.look == "short"'
	code_is /health/live 200
	kill -0 "$HEALTHD" && kill -0 "$GATEWAY"
}

@test "segment scribbled over: 503 with the exact reason" {
	start_both
	dd if=/dev/urandom of="/dev/shm/$SEGMENT" bs=64 seek=1 count=4 conv=notrunc status=none
	code_is /health/websocket 503
	websocket '.connections.active == null and .segment.look == "corrupt"'
	kill -0 "$HEALTHD"
}

@test "segment of another version: 503, told as such" {
	start_both
	printf '\x63' | dd of="/dev/shm/$SEGMENT" bs=1 seek=8 conv=notrunc status=none
	code_is /health/websocket 503
	websocket '.segment.look == "other_version"'
}

@test "stale segment of a previous life: recognised, and replaced at start" {
	start_both
	kill -KILL "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	await 300 websocket '.server == "stopped"'
	test -e "/dev/shm/$SEGMENT"
	start_gateway
	await 300 websocket '.server == "running" and .connections.total == 0'
}

@test "torn write: told when it lasts, over with the next read" {
	start_both
	clients 3
	await 500 websocket '.connections.active == 3'
	# As if the supervisor never ended what it began.
	"$TOOLS/tear" "$GATEWAY" "/dev/shm/$SEGMENT"
	await 50 code_is /health/websocket 503
	websocket '.segment.look == "torn" and .connections.active == null and .uptime == null'
	code_is /health/live 200
	"$TOOLS/tear" -m "$GATEWAY" "/dev/shm/$SEGMENT"
	await 50 websocket '.status == "ok" and .connections.active == 3'
	kill -0 "$HEALTHD"
}
