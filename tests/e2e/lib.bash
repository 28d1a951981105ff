# lib - what the end-to-end tests share: start real daemons, wait for conditions, ask health.
#
# Each test has its own folder, segment name and ports. Nothing here waits for a
# fixed time: `await` polls a condition, `within` also asserts how long it took.
# Daemons are ended by pid in teardown; their logs are printed when a test fails.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
MODE=${MODE:-release}
BIN=$ROOT/build/$MODE/bin
TOOLS=$ROOT/build/$MODE/tests/tools
# The one that is tested; a broken one proves the checker.
GATEWAY_BIN=${GATEWAY_BIN:-$BIN/parley-gateway}
HEALTHD_BIN=${HEALTHD_BIN:-$BIN/parley-healthd}
# FAULTS.md: times hold on an idle machine, three times as long on a loaded one;
# a sanitized build is slower still.
TOLERANCE=${TOLERANCE:-3}
# The python that the distribution's packages are for.
PYTHON=/usr/bin/python3
[ "$MODE" = release ] || TOLERANCE=$((TOLERANCE * 4))

setup_daemons() {
	DIR=$(mktemp -d "/tmp/parley-test.XXXXXX")
	SEGMENT=parley-test-$$-$RANDOM
	PIDS=() CLIENTS=0
	export PARLEY_SEGMENT=$SEGMENT PARLEY_LISTEN=127.0.0.1:0 PARLEY_WORKERS=2
	export PARLEY_HEALTH_LISTEN=127.0.0.1:0 PARLEY_STORE=sqlite:$DIR/parley.db
	# Tests connect and send as fast as they can; those of the limits set their own.
	export PARLEY_HANDSHAKES_PER_SECOND=0 PARLEY_HANDSHAKES_PER_ADDRESS=0
	export PARLEY_RATE_MESSAGES=0 PARLEY_RATE_BYTES=0
	export PARLEY_RATE_USER_MESSAGES=0 PARLEY_RATE_USER_BYTES=0
	# The canary is a client like others: what it says would be among what tests count.
	export PARLEY_CANARY_INTERVAL_MS=0
	export PARLEY_DRAIN_ANNOUNCE_MS=100 PARLEY_DRAIN_SPREAD_MS=200
	HEALTH= PORT= GATEWAY= HEALTHD= POSTGRES=
}

teardown_daemons() {
	local pid log
	[ -n "${SEGMENT:-}" ] || return 0 # skipped before there was anything
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		for log in "$DIR"/*.log; do
			echo "--- $log"
			tail -n 60 "$log"
		done
	fi
	# A stopped process ends on KILL all the same.
	for pid in "${PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in "${PIDS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	stop_postgres
	# Orphans of a killed supervisor leave by themselves, a test says if they do not; until
	# then they write.
	await 5000 rm -rf "$DIR" "/dev/shm/$SEGMENT" "/dev/shm/$SEGMENT.kept"
}

# make_in_turn TARGET [NAME=VALUE...]: one at a time, since what is to be made is shared.
make_in_turn() {
	flock "$ROOT/build/$MODE" env -u MAKEFLAGS make -s -C "$ROOT" MODE="$MODE" "$@"
}

pause() { # a moment, without a child process
	read -rt 0.01 <> <(:) || true
}

now_ms() {
	local t=${EPOCHREALTIME/[.,]/}
	echo "${t:0:-3}"
}

# await MS COMMAND...: until it succeeds; fails with the last words of what it waited for.
await() {
	local limit=$(($1 * TOLERANCE)) start
	shift
	start=$(now_ms)
	until "$@" >/dev/null 2>&1; do
		if (($(now_ms) - start > limit)); then
			echo "not within $limit ms: $*"
			"$@"
			return 1
		fi
		pause
	done
	TOOK=$(($(now_ms) - start))
}

# ---- daemons ----

# start_gateway [NAME=VALUE...]: sets GATEWAY (pid) and PORT once it is ready.
start_gateway() {
	: >"$DIR/gateway.log" # what an earlier one said is not this one's
	env "$@" "$GATEWAY_BIN" >"$DIR/gateway.log" 2>&1 &
	GATEWAY=$!
	PIDS+=("$GATEWAY")
	await 5000 grep -q 'gateway ready' "$DIR/gateway.log" || return
	PORT=$(sed -n 's/.*gateway ready.* port=\([0-9]*\).*/\1/p' "$DIR/gateway.log" | tail -1)
}

# start_healthd [NAME=VALUE...]: sets HEALTHD (pid) and HEALTH (its address).
start_healthd() {
	: >"$DIR/healthd.log"
	env "$@" "$HEALTHD_BIN" >"$DIR/healthd.log" 2>&1 &
	HEALTHD=$!
	PIDS+=("$HEALTHD")
	await 5000 grep -q 'healthd listening' "$DIR/healthd.log" || return
	HEALTH=http://127.0.0.1:$(sed -n 's/.*healthd listening.* port=\([0-9]*\).*/\1/p' "$DIR/healthd.log" | tail -1)
}

start_both() {
	start_gateway "$@" || return
	start_healthd "$@" || return
	await 2000 health /health/ready '.status == "ok"'
}

# A PostgreSQL of the test's own; exports its URL as PARLEY_STORE, for gateways that are
# started after that. Starts the same one again after kill_postgres, which is a power cut.
# Where none is installed the test is skipped.
start_postgres() {
	"$ROOT/tests/postgres.bash" installed || skip "no PostgreSQL server is installed"
	POSTGRES=${POSTGRES:-$(mktemp -d /tmp/parley-postgres.XXXXXX)}
	PARLEY_STORE=$("$ROOT/tests/postgres.bash" start "$POSTGRES") || return
	export PARLEY_STORE
}

kill_postgres() {
	"$ROOT/tests/postgres.bash" kill "$POSTGRES"
}

signal_postgres() { # signal_postgres NAME: to all of its processes
	"$ROOT/tests/postgres.bash" signal "$POSTGRES" "$1"
}

stop_postgres() {
	[ -z "$POSTGRES" ] || "$ROOT/tests/postgres.bash" stop "$POSTGRES"
	POSTGRES=
}

# use_store sqlite|postgresql: a fresh one of that kind, for gateways started after this.
use_store() {
	case $1 in
	sqlite) export PARLEY_STORE=sqlite:$DIR/chat.db ;;
	postgresql) start_postgres ;;
	*)
		echo "no such store: $1" >&2
		return 2
		;;
	esac
}

gone() { # gone PID: no such process, zombies included
	! kill -0 "$1" 2>/dev/null || [ "$(ps -o stat= -p "$1" | cut -c1)" = Z ]
}

# A clock of the test's own for daemons that are started with "$WALL_CLOCK" among their
# settings: so many seconds away from the real one. Fails where it cannot be had.
make_wall_clock() {
	[ "$MODE" = release ] || return
	echo 0 >"$DIR/offset"
	cc -shared -fPIC -O1 -D_GNU_SOURCE -DOFFSET="\"$DIR/offset\"" -o "$DIR/wall.so" "$ROOT/tests/e2e/wall.c" \
		-ldl || return
	WALL_CLOCK=LD_PRELOAD=$DIR/wall.so
}
set_wall_clock() { # set_wall_clock SECONDS
	echo "$1" >"$DIR/offset.new"
	mv "$DIR/offset.new" "$DIR/offset"
}

# ---- health ----

body() { # body PATH
	curl -sS -m 5 "$HEALTH$1"
}

code() { # code PATH: the status code
	curl -sS -m 5 -o /dev/null -w '%{http_code}' "$HEALTH$1"
}

code_is() { # code_is PATH CODE
	local got
	got=$(code "$1")
	[ "$got" = "$2" ] || {
		echo "$1: $got, not $2"
		body "$1"
		return 1
	}
}

health() { # health PATH JQ-CONDITION
	local answer
	answer=$(body "$1")
	jq -e "$2" <<<"$answer" >/dev/null || {
		echo "$1: not $2"
		echo "$answer"
		return 1
	}
}

websocket() { # websocket JQ-CONDITION, on /health/websocket?verbose
	health '/health/websocket?verbose' "$1"
}

worker_pid() { # worker_pid SEAT
	body '/health/websocket?verbose' | jq -r ".workers[] | select(.seat == $1) | .pid"
}

# ---- clients ----

# client USER: a chat client with lines in and lines out; sets IN (a descriptor to
# write lines to), OUT (the file with what it got) and CLIENT (its pid).
client() {
	local fifo=$DIR/client-$((++CLIENTS)).in
	OUT=$DIR/client-$CLIENTS.log
	mkfifo "$fifo"
	"$TOOLS/wsclient" "ws://127.0.0.1:$PORT/chat?user=$1" <"$fifo" >"$OUT" 2>&1 &
	CLIENT=$!
	PIDS+=("$CLIENT")
	exec {IN}>"$fifo"
	await 3000 grep -q '"op":"welcome"' "$OUT"
}

# clients N [LOAD-OPTION...]: N idle connections by one process; sets LOAD (its pid).
clients() {
	local log=$DIR/load-$((++CLIENTS)).log fifo=$DIR/load-$CLIENTS.in
	mkfifo "$fifo"
	"$TOOLS/load" idle "$@" "127.0.0.1:$PORT" <"$fifo" >"$log" 2>&1 &
	LOAD=$!
	PIDS+=("$LOAD")
	exec {LOAD_IN}>"$fifo"
	await 10000 grep -q "^open $1" "$log"
}

served_by() { # served_by SEAT: how many clients this worker has
	body '/health/websocket?verbose' | jq ".workers[] | select(.seat == $1) | .active"
}

# client_on SEAT USER: a client that this worker serves. Others that came up stay, idle.
client_on() {
	local before total
	for _ in $(seq 40); do
		before=$(served_by "$1") total=$(body /health/websocket | jq .connections.total)
		client "$2"
		await 2000 websocket ".connections.total == $((total + 1))"
		[ "$(served_by "$1")" = "$before" ] || return 0
	done
	echo "no client came to worker $1"
	return 1
}

say() { # say TEXT...: each is a message of the client that was made last
	printf '%s\n' "$@" >&"$IN"
}

told() { # told FILE [JQ]: of each message of a room in a client's log; its sequence
	jq -R "fromjson? | select(.op == \"message\") | ${2:-.seq}" "$1"
}

metric() { # metric NAME: its value, without labels or with these
	body /metrics | sed -n "s/^parley_$1 //p"
}
