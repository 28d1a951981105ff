# A client that repeats a send after a lost link, be it before, during or after the
# commit: one message, and the answer carries the first one's sequence and time.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

SEND='{"op":"send","room":"r","id":"c1","body":"once","ref":7}'

answer() { # answer FILE: seq and at of its `sent`
	jq -cR 'fromjson? | select(.op == "sent") | [.seq, .at]' "$1"
}

# repeated BREAK MEND: BREAK comes before the first send, MEND after the repeat.
repeated() {
	local first
	client_on 0 ann
	say '{"op":"join","room":"r"}' && await 2000 grep -q '"op":"joined"' "$OUT"
	eval "$1"
	say "$SEND" /abort
	await 2000 gone "$CLIENT"
	client_on 1 ann
	say '{"op":"join","room":"r"}' "$SEND"
	eval "$2"
	await 5000 grep -q '"op":"sent"' "$OUT"
	first=$(answer "$OUT")
	[ "$(jq .[0] <<<"$first")" = 1 ]
	once "$first"
}

once() { # once ANSWER: said again it is answered the same, and history has it once
	client bob
	say '{"op":"join","room":"r","since":0}' '{"op":"history","room":"r","after":0}'
	await 2000 grep -q '"op":"history"' "$OUT"
	[ "$(grep -c '"op":"message"' "$OUT")" = 1 ]
	grep '"op":"history"' "$OUT" | jq -e '.messages | length == 1 and .[0].id == "c1"'
	client ann
	say '{"op":"join","room":"r"}' "$SEND"
	await 3000 grep -q '"op":"sent"' "$OUT"
	[ "$(answer "$OUT")" = "$1" ]
}

sequencer() {
	body '/health/websocket?verbose' | jq .sequencer.pid
}

stores() { # stores STORE: the two stories that any store has
	use_store "$1"
	start_both PARLEY_HANG_ACT_MS=60000
	writer=$(sequencer)
	repeated 'kill -STOP $writer' 'kill -CONT $writer'
}

@test "repeated before it was committed, SQLite" {
	stores sqlite
}

@test "repeated before it was committed, PostgreSQL" {
	stores postgresql
}

@test "repeated while the writer dies with it, SQLite" {
	use_store sqlite
	start_both PARLEY_HANG_ACT_MS=60000
	writer=$(sequencer)
	repeated 'kill -STOP $writer' 'kill -KILL $writer'
}

@test "repeated while it is being committed: PostgreSQL stands still" {
	use_store postgresql
	start_both PARLEY_STORE_HOLD_MS=20000
	repeated 'signal_postgres STOP' 'signal_postgres CONT'
}

@test "repeated after it was committed, SQLite" {
	use_store sqlite
	start_both
	repeated : :
}

@test "repeated after it was committed, PostgreSQL" {
	use_store postgresql
	start_both
	repeated : :
}
