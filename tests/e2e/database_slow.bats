# A store that is slow is told as slow, and makes nothing else so: no loop waits for it, no
# ping is late, and what does not need it is answered as ever.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

heard() { # heard PATTERN: in what the client that was made last was told
	grep -q "$1" "$OUT"
}
send() { # send ID
	echo "{\"op\":\"send\",\"room\":\"lobby\",\"id\":\"$1\",\"body\":1,\"ref\":\"$1\"}" >&"$IN"
}
start_chat() { # start_chat [NAME=VALUE...]: everything, and ann in a room in which she has spoken
	start_both PARLEY_PING_INTERVAL_MS=300 PARLEY_PING_TIMEOUT_MS=600 "$@"
	clients 5
	client ann
	echo '{"op":"join","room":"lobby","ref":"join"}' >&"$IN"
	await 2000 heard '"ref":"join"'
	send first
	await 2000 heard '"op":"sent","ref":"first"'
	await 2000 health /health/database '.status == "ok"'
}

slow_is_told() {
	health /health/database '.status == "degraded" and .latencyMs > 500 and (.reason | test("slow"))'
	code_is /health/database 200
	websocket '.status == "degraded" and (.reasons | any(test("store is slow")))'
}

# The longest that any loop was late, in milliseconds, as each says of its last beat.
lateness() {
	body /metrics | awk '/^parley_loop_lag_last_seconds\{/ { n++; most = $2 > most ? $2 : most }
		END { printf "%d\n", n ? most * 1000 : 1e9 }'
}

# for_a_while MS: all that time nobody hangs or is late, and each ping is answered.
for_a_while() {
	local since n=0 asked
	since=$(now_ms)
	until (($(now_ms) - since > $1 && n > 5)); do
		asked=$(now_ms)
		echo "{\"op\":\"ping\",\"ref\":\"p$((++n))\"}" >&"$IN"
		await 200 heard "\"op\":\"pong\",\"ref\":\"p$n\""
		websocket '(.workers + [.sequencer]) | all(.hang == null and .heartbeatAgeMs < 1000)'
		[ "$(lateness)" -lt $((100 * TOLERANCE)) ]
		pause
	done
	echo "pings answered: $n"
	websocket '.connections.active == 6 and .connections.total == 6 and .restarts == 0'
	code_is /health/live 200
	code_is /health/ready 200
}

recovered() {
	await 2000 heard '"op":"sent","ref":"second".*"seq":2,'
	await 5000 health /health/database '.status == "ok" and .latencyMs < 500 and .queueDepth == 0'
	websocket '.status == "ok"'
	# The histogram has how long it took.
	[ "$(metric 'store_commit_seconds_bucket{le="1.048576"}')" -lt "$(metric store_commit_seconds_count)" ]
}

# Until something is written to LOCK.
lock_file() {
	mkfifo "$DIR/lock"
	"$PYTHON" -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")' "${PARLEY_STORE#sqlite:}" <"$DIR/lock" >"$DIR/lock.out" 2>&1 &
	PIDS+=($!)
	exec {LOCK}>"$DIR/lock"
	await 5000 grep -q held "$DIR/lock.out"
}

@test "database slow (PostgreSQL stopped for some seconds): degraded, and nothing else is slow" {
	use_store postgresql || skip "no PostgreSQL server is installed"
	start_chat PARLEY_STORE_DEADLINE_MS=30000
	signal_postgres STOP
	send second
	await 5000 slow_is_told
	for_a_while 4000
	! heard '"ref":"second"' || false
	signal_postgres CONT
	recovered
}

@test "database slow (PostgreSQL stopped beyond the deadline): down, and back by itself" {
	use_store postgresql || skip "no PostgreSQL server is installed"
	start_chat PARLEY_STORE_DEADLINE_MS=1500 PARLEY_STORE_HOLD_MS=1000
	signal_postgres STOP
	send second
	await 5000 slow_is_told
	await 10000 code_is /health/database 503
	await 5000 heard '"op":"error","ref":"second","code":"unavailable"'
	for_a_while 1000
	signal_postgres CONT
	await 10000 health /health/database '.status == "ok"'
	# Whether it was kept is not known; given again it is kept once.
	send second
	recovered
}

@test "database slow (a lock held on PostgreSQL's rooms): degraded, and nothing else is slow" {
	use_store postgresql || skip "no PostgreSQL server is installed"
	start_chat PARLEY_STORE_DEADLINE_MS=30000
	mkfifo "$DIR/sql"
	"$(source "$ROOT/tests/postgres.bash" && postgres_bin)/psql" -X -q -A -t -h "$POSTGRES" \
		-U postgres <"$DIR/sql" >"$DIR/sql.out" 2>&1 &
	PIDS+=($!)
	exec {SQL}>"$DIR/sql"
	echo "BEGIN; LOCK TABLE parley.rooms IN ACCESS EXCLUSIVE MODE; SELECT 'held';" >&"$SQL"
	await 5000 grep -q held "$DIR/sql.out"
	send second
	await 5000 slow_is_told
	for_a_while 4000
	echo "COMMIT;" >&"$SQL"
	recovered
}

# Reading goes on, so that the file seems to be well whenever it is opened.
@test "database slow (SQLite's file locked beyond the deadline): down for all that time, and back by itself" {
	start_chat PARLEY_STORE_DEADLINE_MS=600 PARLEY_STORE_GRACE_MS=300 PARLEY_STORE_HOLD_MS=60000
	lock_file
	send second
	await 5000 code_is /health/database 503
	for n in 1 2 3 4 5 6; do
		code_is /health/database 503
		for_a_while 100
	done
	echo >&"$LOCK"
	await 5000 heard '"op":"sent","ref":"second".*"seq":2,'
	await 5000 health /health/database '.status == "ok"'
}

@test "database slow (SQLite's file locked by another): degraded, and nothing else is slow" {
	start_chat PARLEY_STORE_DEADLINE_MS=30000
	lock_file
	send second
	await 5000 slow_is_told
	for_a_while 4000
	echo >&"$LOCK"
	recovered
}
