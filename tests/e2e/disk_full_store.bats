# A store without space refuses what it cannot keep, in words, and loses nothing that was
# acknowledged; with space again it goes on by itself.

load lib
setup() {
	setup_daemons
	unshare -m true 2>/dev/null || skip "no file system can be mounted here"
}
teardown() { teardown_daemons; }

SIZE_KIB=4096

start_on_a_small_disk() {
	mkdir "$DIR/store"
	export PARLEY_STORE=sqlite:$DIR/store/chat.db
	start_gateway "$@" unshare -m sh -c \
		"mount -t tmpfs -o size=${SIZE_KIB}k none '$DIR/store' && exec \"\$0\""
	start_healthd
	await 2000 code_is /health/ready 200
	DISK=/proc/$GATEWAY/root$DIR/store
}
fill_disk() { # all but nothing is left
	dd if=/dev/zero of="$DISK/ballast" bs=4k 2>/dev/null || true
	[ "$(stat -f -c %a "$DISK")" = 0 ]
}
send() { # send N: a message of about 8 KiB
	printf '{"op":"send","room":"lobby","id":"m%d","body":"%08192d","ref":"m%d"}\n' "$1" 0 "$1" >&"$IN"
}
answered() { # answered N: acknowledged or refused
	grep -qE "\"op\":\"(sent|error)\",\"ref\":\"m$1\"" "$OUT"
}
acknowledged() {
	sed -n 's/.*"op":"sent","ref":"\(m[0-9]*\)".*/\1/p' "$OUT" | sort
}
kept() { # what the store has, as any other reader of the file sees it
	nsenter -t "$GATEWAY" -m "$PYTHON" -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT client_id FROM messages"): print(row[0])' \
		"$DIR/store/chat.db" | sort
}

@test "disk full (SQLite): sends refused in words, nothing acknowledged lost, goes on with space" {
	start_on_a_small_disk PARLEY_STORE_HOLD_MS=500
	client ann
	echo '{"op":"join","room":"lobby","ref":"join"}' >&"$IN"
	await 2000 grep -q '"ref":"join"' "$OUT"
	local n=0
	while ((n < 20)); do send $((++n)); done
	await 3000 answered 20
	[ "$(acknowledged | wc -l)" = 20 ]

	fill_disk
	# The log has some room left that is its own.
	until grep -q '"op":"error"' "$OUT"; do
		send $((++n))
		await 5000 answered "$n"
		[ "$n" -lt 2000 ]
	done
	grep -q "\"op\":\"error\",\"ref\":\"m$n\",\"code\":\"unavailable\"" "$OUT"
	await 5000 code_is /health/database 503
	websocket '.status == "degraded" and .restarts == 0 and .connections.active == 1'
	code_is /health/live 200
	code_is /health/ready 200
	send $((++n))
	await 5000 grep -q "\"op\":\"error\",\"ref\":\"m$n\"" "$OUT"

	rm "$DISK/ballast"
	await 5000 health /health/database '.status == "ok"'
	websocket '.status == "ok"'
	send $((++n))
	await 3000 grep -q "\"op\":\"sent\",\"ref\":\"m$n\"" "$OUT"
	# Every acknowledged one is there, and none that was refused.
	[ "$(kept)" = "$(acknowledged)" ]
	! grep -q '^#close' "$OUT" || false
}
