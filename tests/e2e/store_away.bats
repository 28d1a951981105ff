# A store that goes away costs waiting and clear refusals, never a message that was acknowledged.

load lib
setup() {
	setup_daemons
	start_postgres
}
teardown() { teardown_daemons; }

say() { # say ID, to room r by the client that was made last
	echo "{\"op\":\"send\",\"room\":\"r\",\"id\":\"$1\",\"body\":0,\"ref\":\"$1\"}" >&"$IN"
}
heard() { # heard JQ-CONDITION, on the list of all that the client got
	grep '^{' "$OUT" | jq -se "$1"
}
answer_is() { # answer_is ID JQ-CONDITION, on the last answer
	heard "map(select(.ref == \"$1\")) | last | $2"
}

@test "the store away: sends are held a while, then refused, and go on when it is back" {
	start_both PARLEY_STORE_HOLD_MS=1000
	client ann
	echo '{"op":"join","room":"r"}' >&"$IN"
	say m1
	await 2000 answer_is m1 '.seq == 1'

	kill_postgres
	say m2
	within_hold() { answer_is m2 '.op == "error" and .code == "unavailable"'; }
	await 3000 within_hold
	[ "$TOOK" -ge 500 ]
	say m3
	start_postgres
	# Again and again, as the refusal asks for.
	goes_through() { answer_is m2 '.op == "sent"' || { say m2 && false; }; }
	await 10000 goes_through
	await 5000 health /health/database '.status == "ok"'
	say m4
	await 2000 answer_is m4 '.op == "sent"'
	# No hole, nothing twice, and the link was never closed.
	heard '[.[] | select(.op == "message") | .seq] | . == [range(1; length + 1)]'
	heard '[.[] | select(.op == "message") | .id] | length == (unique | length)'
	websocket '.connections.active == 1 and .connections.total == 1'
}

@test "the store stopped in a commit: after the deadline it is given again, and committed once" {
	start_gateway PARLEY_STORE_DEADLINE_MS=1000 PARLEY_STORE_HOLD_MS=20000
	client ann
	echo '{"op":"join","room":"r"}' >&"$IN"
	say m1
	await 2000 answer_is m1 '.seq == 1'
	signal_postgres STOP
	say m2
	await 3000 grep -q 'store away' "$DIR/gateway.log"
	signal_postgres CONT
	await 10000 answer_is m2 '.seq == 2'
	say m3
	await 2000 answer_is m3 '.seq == 3'
	[ "$(grep -c '"op":"message"' "$OUT")" = 3 ]
}

@test "no store at the start: the gateway serves all the same, and the password is nowhere" {
	local pid
	hidden() { ! grep -q s3cret "$@"; }
	start_both PARLEY_STORE=postgresql://me:s3cret@127.0.0.1:1/none
	client ann
	await 5000 health /health/database '.status == "error"'
	websocket '.status == "degraded" and .connections.active == 1'
	echo '{"op":"ping","ref":1}' >&"$IN"
	await 2000 grep -q '"op":"pong"' "$OUT"
	for pid in $(pgrep -P "$GATEWAY"); do
		hidden "/proc/$pid/cmdline" "/proc/$pid/environ"
	done
	hidden "$DIR/gateway.log" "$DIR/healthd.log" "/dev/shm/$SEGMENT"
	PARLEY_STORE=postgresql://me:s3cret@127.0.0.1:1/none "$BIN/parley-gateway" --print >"$DIR/print"
	grep -q 'PARLEY_STORE="postgresql://me:\*\*\*@127.0.0.1:1/none"' "$DIR/print"
}
