# A store that is down is told as such and pulls nothing else down: the gateway lives, stays
# ready, answers from memory, refuses what it cannot keep, and recovers by itself.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

# fresh STORE: one of that kind, of which take_away can be told.
fresh() {
	if [ "$1" = postgresql ]; then
		use_store postgresql || skip "no PostgreSQL server is installed"
	else
		mkdir "$DIR/store"
		export PARLEY_STORE=sqlite:$DIR/store/chat.db
	fi
}
take_away() {
	if [ "$1" = postgresql ]; then kill_postgres; else mv "$DIR/store" "$DIR/away"; fi
}
give_back() {
	if [ "$1" = postgresql ]; then start_postgres; else mv "$DIR/away" "$DIR/store"; fi
}

database_is() { # database_is STATUS CODE
	health /health/database ".status == \"$1\"" && code_is /health/database "$2"
}
heard() { # heard PATTERN: in what the client that was made last was told
	grep -q "$1" "$OUT"
}
store_up() {
	body /metrics | sed -n 's/^parley_store_up //p'
}

join() {
	echo '{"op":"join","room":"lobby","ref":"join"}' >&"$IN"
	await 2000 heard '"op":"joined","ref":"join"'
}
send() { # send ID REF
	echo "{\"op\":\"send\",\"room\":\"lobby\",\"id\":\"$1\",\"body\":\"it is $1\",\"ref\":\"$2\"}" >&"$IN"
}

nothing_else_falls() {
	await 5000 database_is error 503
	health /health/database '.reason | test("store")'
	health /health/database ".driver == \"$1\" and .lastOk != null"
	code_is /health 503
	websocket '.status == "degraded" and (.reasons | any(test("store")))'
	code_is /health/websocket 200
	code_is /health/live 200
	code_is /health/ready 200
	[ "$(store_up)" = 0 ]
	"$BIN/parley-probe" live && "$BIN/parley-probe" ready
	"$BIN/parley-stat" | grep -q "^store  $1  error"
}

down_and_up() { # down_and_up STORE
	fresh "$1"
	start_both PARLEY_STORE_DEADLINE_MS=1000 PARLEY_STORE_HOLD_MS=1000
	await 2000 database_is ok 200
	health /health/database ".driver == \"$1\" and .latencyMs > 0 and .lastOk != null and .queueDepth == 0"
	client ann
	local served
	served=$(body '/health/websocket?verbose' | jq '.workers[] | select(.active == 1) | .seat')
	join
	send one s1
	await 2000 heard '"op":"sent","ref":"s1".*"seq":1,'

	take_away "$1"
	nothing_else_falls "$1"
	# What is in memory can still be had, by whoever comes to the worker that has it.
	local ann=$IN heard_by_ann=$OUT ann_pid=$CLIENT
	client_on "$served" bob
	echo '{"op":"join","room":"lobby","since":0,"ref":"late"}' >&"$IN"
	await 1000 heard '"op":"joined","ref":"late".*"head":1'
	await 1000 heard '"op":"message","room":"lobby","seq":1,"id":"one","from":"ann"'
	# What is not is told to be away.
	echo '{"op":"join","room":"elsewhere","ref":"new"}' >&"$IN"
	await 2000 heard '"op":"error","ref":"new","code":"unavailable"'
	IN=$ann OUT=$heard_by_ann CLIENT=$ann_pid
	# What cannot be kept is refused in words, after a bounded wait, and nobody is cut off.
	send two s2
	await 4000 heard '"op":"error","ref":"s2","code":"unavailable"'
	kill -0 "$CLIENT" && ! heard '^#close' || false
	await 1000 health /health/database '.queueDepth == 0'

	give_back "$1"
	await 5000 database_is ok 200
	websocket '.status == "ok" and .restarts == 0'
	[ "$(store_up)" = 1 ]
	send two s3
	await 2000 heard '"op":"sent","ref":"s3".*"seq":2,'
	websocket '.connections.active > 1'
}

@test "database down (SQLite's folder renamed away): degraded, told, and recovered from" {
	down_and_up sqlite
}

@test "database down (PostgreSQL killed): degraded, told, and recovered from" {
	down_and_up postgresql
}

@test "database down: ready follows only where it is set so, live never" {
	fresh sqlite
	start_both PARLEY_READY_NEEDS_STORE=yes PARLEY_STORE_GRACE_MS=500
	take_away sqlite
	await 5000 code_is /health/ready 503
	health /health/ready '.reason | test("store")'
	code_is /health/live 200
	code_is /health/websocket 200
	run env PARLEY_READY_NEEDS_STORE=yes "$BIN/parley-probe" ready
	[ "$status" = 1 ]
	give_back sqlite
	await 5000 code_is /health/ready 200
}

@test "database down at start: told, alive, and served once it is there" {
	fresh sqlite
	mv "$DIR/store" "$DIR/away"
	"$BIN/parley-gateway" >"$DIR/gateway.log" 2>&1 &
	GATEWAY=$!
	PIDS+=("$GATEWAY")
	start_healthd
	await 5000 database_is error 503
	code_is /health/live 200
	give_back sqlite
	await 5000 database_is ok 200
	await 2000 code_is /health/ready 200
}

@test "a sequencer that is replaced leaves the store unknown for a moment, and no more" {
	fresh sqlite
	start_both PARLEY_STORE_GRACE_MS=5000
	await 2000 database_is ok 200
	local sequencer
	sequencer=$(body '/health/websocket?verbose' | jq .sequencer.pid)
	kill -STOP "$sequencer"
	await 1500 health /health/database '.status == "unknown" and .latencyMs == null and .queueDepth == null'
	health /health/database '.reason | test("sequencer hung")'
	code_is /health/database 200
	await 5000 database_is ok 200
	websocket ".sequencer.pid != $sequencer"
}

sql() {
	"$ROOT/tests/postgres.bash" sql "$POSTGRES" "$1" template1
}
reader_is_cut_off() { # every worker's connection is ended; the sequencer's stays
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = 'postgres' AND pid <> $1" >/dev/null
	health /health/database '.status == "degraded" and (.reason | test("cannot read"))'
}

@test "database out of reach for workers only (PostgreSQL): degraded, writing goes on" {
	fresh postgresql
	start_both
	client ann
	join
	send one s1
	await 2000 heard '"op":"sent","ref":"s1"'
	# Who has written last is the sequencer.
	local writer
	writer=$(sql "SELECT pid FROM pg_stat_activity WHERE datname = 'postgres' ORDER BY state_change DESC LIMIT 1")
	sql "ALTER DATABASE postgres WITH ALLOW_CONNECTIONS false"
	await 5000 reader_is_cut_off "$writer"
	code_is /health/database 200
	code_is /health/ready 200
	websocket '.status == "degraded"'
	send two s2
	await 2000 heard '"op":"sent","ref":"s2".*"seq":2,'
	sql "ALTER DATABASE postgres WITH ALLOW_CONNECTIONS true"
	await 5000 database_is ok 200
}
