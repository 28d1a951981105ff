# Readers that are slow or never read harm nobody: others are answered as before, memory
# is bounded, they are closed with the resumable code, and what they resume is complete.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

workers_kib() { # resident memory of the gateway's processes
	awk '/^VmRSS:/ { n += $2 } END { print n }' \
		$(pgrep -P "$GATEWAY" | sed 's|.*|/proc/&/status|')
}

others_p99() { # microseconds from send to `sent` of somebody else in another room
	"$TOOLS/load" sends 4 2 1 "127.0.0.1:$PORT" | sed -n 's/.*p99_us=\([0-9]*\).*/\1/p'
}

# slow_readers STORE N RATE: N who read RATE bytes a second in a room with much to read.
slow_readers() {
	local before after kib slow busy in
	use_store "$1"
	start_both PARLEY_ROOM_LOG_BYTES=262144 PARLEY_MESSAGE_MAX=16384 \
		PARLEY_CLOSE_TIMEOUT_MS=500
	before=$(others_p99)
	mkfifo "$DIR/slow.in"
	"$TOOLS/load" slow "$2" "$3" "127.0.0.1:$PORT" --room busy <"$DIR/slow.in" >"$DIR/slow.log" 2>&1 &
	slow=$!
	PIDS+=("$slow")
	exec {in}>"$DIR/slow.in"
	await 10000 grep -q "^open $2" "$DIR/slow.log"
	kib=$(workers_kib)

	# More than the kernel takes for one that does not read.
	"$TOOLS/load" room 1 1000 4 "127.0.0.1:$PORT" --room busy --bytes 1000 >"$DIR/busy.log" 2>&1 &
	busy=$!
	PIDS+=("$busy")
	after=$(others_p99)
	echo "p99 of others: $before us before, $after us while $2 are slow"
	wait "$busy"
	[ "$after" -lt $((before * 5 + 20000 * TOLERANCE)) ]
	echo "memory: $kib KiB before, $(workers_kib) after"
	[ "$MODE" != release ] || [ "$(workers_kib)" -lt $((kib + 65536)) ] # a sanitizer keeps what is freed
	await 5000 closed_slow "$2"
	exec {in}>&-
	wait "$slow"
	grep ' complete=1 ' "$DIR/slow.log"
}

closed_slow() { # closed_slow N: at least so many were closed as slow readers
	[ "$(metric 'connections_closed_total{reason="slow"}')" -ge "$1" ]
}

@test "1,000 readers of 1 KB/s in a busy room, SQLite" {
	slow_readers sqlite 1000 1000
}

@test "1,000 readers that never read, PostgreSQL" {
	slow_readers postgresql 1000 0
}

@test "a slow reader is told 4000, and resumes where it was" {
	use_store sqlite
	start_both PARLEY_ROOM_LOG_BYTES=32768 PARLEY_MESSAGE_MAX=16384 PARLEY_CLOSE_TIMEOUT_MS=20000
	client ann
	say '{"op":"join","room":"busy"}' && await 2000 grep -q '"op":"joined"' "$OUT"
	say /stop-reading
	# More than the kernel takes for one that does not read.
	"$TOOLS/load" room 1 2000 8 "127.0.0.1:$PORT" --room busy --bytes 4000
	await 5000 closed_slow 1
	say /resume-reading
	await 5000 grep -q '^#close 4000' "$OUT"
	local last
	last=$(told "$OUT" | tail -1)
	client ann
	say "{\"op\":\"join\",\"room\":\"busy\",\"since\":$last}"
	await 5000 grep -q '"seq":2000,' "$OUT"
	[ "$(told "$OUT")" = "$(seq $((last + 1)) 2000)" ]
}
