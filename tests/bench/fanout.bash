# fanout - delivering to rooms: ours, its peers and the bare kernel in one run.
#
# `tests/bench/run fanout`. Servers have the first processor, clients the second. Each
# figure is the median of FANOUT_RUNS (3) runs, with the smallest and the largest; servers
# take turns, so that a machine that is slow for a while is so for all of them.
# FANOUT_SERVERS names some of them, FANOUT_WORK a part of the titles.

SERVERS_ALL="bare parley-1-sqlite parley-2-sqlite parley-1-postgresql ws socketio nchan nats mosquitto"

# Nanoseconds of processor time of these processes, with all their threads.
cpu_ns() { # cpu_ns PID...
	local pid
	for pid in "$@"; do cat /proc/"$pid"/task/*/schedstat; done 2>/dev/null |
		awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# The process, and those that it started.
family() { # family PID
	echo "$1 $(pgrep -P "$1" | tr '\n' ' ')"
}

start_ours() { # start_ours WORKERS STORE
	use_store "$2"
	start_gateway PARLEY_WORKERS="$1" PARLEY_CONNECTIONS_MAX=20000
	PEER=$GATEWAY PEER_PORT=$PORT PEER_DIALECT=parley
	[ "$1" != 1 ] || for pid in $(family "$GATEWAY"); do taskset -acp 0 "$pid" >/dev/null; done
}

# fanout_once SERVER LOAD-WORDS...: CPU-seconds per million deliveries in COST, from when
# all are in, and in SAID what the load tool says; FAILED in words.
fanout_once() {
	local server=$1 load before cpu
	shift
	FAILED=
	setup_daemons
	case $server in
	parley*) IFS=- read -r _ workers store <<<"$server" && start_ours "$workers" "$store" ;;
	*) start_peer "$server" >"$DIR/start.log" 2>&1 || FAILED=$(head -1 "$DIR/start.log") ;;
	esac
	if [ -z "$FAILED" ]; then
		mkfifo "$DIR/go"
		taskset -c 1 timeout 120 "$TOOLS/load" --hold --dialect "$PEER_DIALECT" "$@" "127.0.0.1:$PEER_PORT" \
			<>"$DIR/go" >"$DIR/load.log" 2>&1 &
		load=$!
		PIDS+=("$load")
		await 20000 grep -q '^open' "$DIR/load.log"
		before=$(cpu_ns $(family "$PEER"))
		echo >"$DIR/go"
		wait "$load" || FAILED=$(tail -1 "$DIR/load.log")
		SAID=$(tail -1 "$DIR/load.log")
		cpu=$(($(cpu_ns $(family "$PEER")) - before))
		COST=$(awk -v ns=$cpu -v n="$(sed -n 's/.*deliveries=\([0-9]*\).*/\1/p' "$DIR/load.log")" \
			'BEGIN { printf "%.3f", n ? ns / n / 1000 : 0 }')
	fi
	teardown_daemons >/dev/null 2>&1
}

# fanout_table TITLE WHAT...: a row for each server, with its ratio to the bare one.
fanout_table() {
	local title=$1 server i bare=
	local -A costs=() failed=()
	shift
	[[ $title == *${FANOUT_WORK:-}* ]] || return 0
	for ((i = 0; i < ${FANOUT_RUNS:-3}; i++)); do
		for server in ${FANOUT_SERVERS:-$SERVERS_ALL}; do
			[ -z "${failed[$server]:-}" ] || continue
			fanout_once "$server" "$@"
			failed[$server]=$FAILED
			costs[$server]+="$COST "
		done
	done
	echo
	echo "| $title | CPU-s per million | smallest to largest | times the bare one |"
	echo "|---|---|---|---|"
	for server in ${FANOUT_SERVERS:-$SERVERS_ALL}; do
		if [ -n "${failed[$server]}" ]; then
			echo "| $server | ${failed[$server]} | | |"
			continue
		fi
		tr ' ' '\n' <<<"${costs[$server]% }" | sort -g | awk -v server="$server" -v bare="${bare:-0}" '{ v[NR] = $1 }
			END { m = v[int((NR + 1) / 2)]; printf "| %s | %.2f | %.2f to %.2f | %s |\n", server, m, v[1], v[NR], bare ? sprintf("%.2f", m / bare) : "" }'
		[ "$server" != bare ] || bare=$(tr ' ' '\n' <<<"${costs[$server]% }" | median)
	done
}

said() { # said NAME: a figure of SAID
	sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" <<<"$SAID"
}

# At a fixed rate; a delivery's time counts from when its message was to be sent, so that
# who falls behind is not spared. With Parley a commit to the store is part of it.
bench_latency() {
	local rate server p50 p99 most costs i
	source "$ROOT/tests/bench/peers/start.bash"
	echo
	echo "| 1 to 1,000 at a fixed rate | deliveries/s | p50 ms | p99 ms | max ms | CPU-s per million |"
	echo "|---|---|---|---|---|---|"
	for rate in 20 50; do
		for server in ${FANOUT_SERVERS:-$SERVERS_ALL}; do
			p50=() p99=() most=() costs=()
			for ((i = 0; i < ${FANOUT_RUNS:-3}; i++)); do
				fanout_once "$server" --rate $rate room 1000 $((rate * 10)) 1
				[ -z "$FAILED" ] || break
				p50+=("$(said p50_us)") p99+=("$(said p99_us)") most+=("$(said max_us)") costs+=("$COST")
			done
			if [ -n "$FAILED" ]; then
				echo "| $server | $FAILED | | | | |"
				continue
			fi
			echo "| $server | $((rate * 1000)) | $(milli "${p50[@]}") | $(milli "${p99[@]}") | $(milli "${most[@]}") | $(printf '%s\n' "${costs[@]}" | median) |"
		done
	done
	DIR=/nonexistent
}
milli() { # milli US...: their median in milliseconds
	printf '%s\n' "$@" | median | awk '{ printf "%.2f", $1 / 1000 }'
}

# floor TITLE SOCKETS MESSAGES COALESCED: what send() alone costs; so many messages in each.
floor() {
	local i costs=()
	for i in 1 2 3; do
		costs+=("$("$bench/bare_send" "$2" "$3" $((130 * $4)) | sed 's/.*per_million=//')")
	done
	echo "# send() alone, $1: $(printf '%s\n' "${costs[@]}" | median | awk -v n="$4" '{ printf "%.2f", $1 / n }') CPU-s per million"
}

bench_fanout() {
	source "$ROOT/tests/bench/peers/start.bash"
	floor "1 to 1,000" 1000 300 1
	floor "the same, 32 in each" 1000 100 32
	floor "1 to 10,000" 10000 30 1
	fanout_table "1 to 1,000, 1 in flight" room 1000 "${FANOUT_MESSAGES:-300}" 1
	fanout_table "1 to 1,000, 32 in flight" room 1000 $((${FANOUT_MESSAGES:-300} * 4)) 32
	fanout_table "1 to 10,000, 1 in flight" room 10000 $((${FANOUT_MESSAGES:-300} / 10)) 1
	fanout_table "100 rooms of 10, all publish" rooms 100 10 "${FANOUT_MESSAGES:-300}"
	DIR=/nonexistent
}
