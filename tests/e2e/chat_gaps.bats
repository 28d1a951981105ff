# A worker that was away while others published, and whose place on the bus was
# overwritten meanwhile: its members get everything, in order, from the store.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

overrun() { # overrun STORE
	local paused i
	use_store "$1"
	start_both PARLEY_WORKERS=2 PARLEY_HANG_ACT_MS=60000 \
		PARLEY_MESSAGE_MAX=8192 PARLEY_BUS_RING_BYTES=65536
	client_on 1 listener
	local heard=$OUT in=$IN
	say '{"op":"join","room":"r"}' && await 2000 grep -q '"op":"joined"' "$OUT"
	client_on 0 speaker
	say '{"op":"join","room":"r"}' && await 2000 grep -q '"op":"joined"' "$OUT"
	paused=$(worker_pid 1)
	kill -STOP "$paused"
	# No more at a time than so small a bus takes.
	for i in $(seq 600); do
		say "{\"op\":\"send\",\"room\":\"r\",\"id\":\"m$i\",\"body\":\"$(printf '%0200d' "$i")\"}"
		((i % 20)) || say "/await \"id\":\"m$i\",\"seq\" 30000"
	done
	await 10000 grep -q '"seq":600,' "$OUT"
	kill -CONT "$paused"
	await 5000 grep -q '"seq":600,' "$heard"
	[ "$(told "$heard")" = "$(seq 600)" ]
	# A repeat of what it was told is no news; what follows comes live.
	say '{"op":"send","room":"r","id":"last","body":1}'
	await 3000 grep -q '"seq":601,' "$heard"
	[ "$(metric bus_overruns_total)" -gt 0 ]
	! grep -q '"op":"error"' "$heard"
}

@test "a worker paused while others publish, overrun on the bus, SQLite" {
	overrun sqlite
}

@test "a worker paused while others publish, overrun on the bus, PostgreSQL" {
	overrun postgresql
}
