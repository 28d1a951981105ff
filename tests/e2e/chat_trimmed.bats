# History trimmed below a resume point is told, with the first sequence that can be had.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

TRIES=0
# first_is SEQ: of the room, as one is told who joins from its beginning, and leaves again.
first_is() {
	local ref=try$((++TRIES))
	say "{\"op\":\"join\",\"room\":\"r\",\"since\":0,\"ref\":\"$ref\"}"
	await 2000 grep -q "\"op\":\"joined\",\"ref\":\"$ref\"" "$OUT" || return
	say '{"op":"leave","room":"r"}'
	grep "\"ref\":\"$ref\"" "$OUT" | jq -e ".first == $1 and .head == 50"
}

trimmed() { # trimmed STORE
	local i
	use_store "$1"
	start_both PARLEY_RETAIN_MESSAGES=20
	client ann
	say '{"op":"join","room":"r"}'
	for i in $(seq 50); do
		say "{\"op\":\"send\",\"room\":\"r\",\"id\":\"m$i\",\"body\":$i}"
	done
	await 5000 grep -q '"seq":50,' "$OUT"
	# Who is in has all of it in the room's log, where it may be had for longer.
	say '{"op":"leave","room":"r"}'
	await 10000 first_is 31

	client bob
	say '{"op":"join","room":"r","since":0}' '{"op":"history","room":"r","after":0}'
	await 2000 grep -q '"op":"history"' "$OUT"
	[ "$(told "$OUT")" = "$(seq 31 50)" ]
	grep '"op":"history"' "$OUT" | jq -e '.first == 31 and .messages[0].seq == 31'
	# Whoever is far enough is told nothing.
	client cid
	say '{"op":"join","room":"r","since":30}'
	await 2000 grep -q '"seq":50,' "$OUT"
	grep '"op":"joined"' "$OUT" | jq -e '.first == null'
	[ "$(told "$OUT")" = "$(seq 31 50)" ]
}

@test "trimmed below a resume point: told, SQLite" {
	trimmed sqlite
}

@test "trimmed below a resume point: told, PostgreSQL" {
	trimmed postgresql
}
