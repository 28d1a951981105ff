# crowd - as many links as one machine holds: all in one room, and each in one of ten.
#
# `tests/bench/run crowd`: CROWD links (200,000) over as many workers and load processes as
# the limit on descriptors asks for, held for CROWD_HOLD seconds (600) while messages are
# said, every CROWD_EVERY ms (10,000), in the large room and each CROWD_SMALL (6)th time in
# all small ones; then a worker is killed. Each client checks each message. Clients dial
# from several addresses, for one has not enough ports.

crowd_tell() { # all processes say how they are; sums in C_open, C_in, …
	local i
	for ((i = 0; i < PARTS; i++)); do echo tell >&"${CROWD_IN[i]}"; done
	TELLS=$((TELLS + 1))
	until [ "$(cat "$DIR"/crowd*.log | wc -l)" = $((TELLS * PARTS)) ]; do pause; done
	tail -qn 1 "$DIR"/crowd*.log >"$DIR/crowd.told"
	# Who has not heard of the newest message does not know that it is behind.
	eval "$(tr ' ' '\n' <"$DIR/crowd.told" | awk -F= '
		{ n[$1] += $2 }
		$1 == "head" && !($2 in heads) { heads[$2]; n["heads"]++ }
		END { for (name in n) printf "C_%s=%d\n", name, n[name] }')"
}

crowd_complete() { # all are there, and have everything
	crowd_tell
	[ "$C_in $C_owed $C_behind $C_behind_small $C_heads" = "$N 0 0 0 1" ]
}

crowd_says() { # crowd_says large|small: and how long until all have it
	local start i
	start=$(now_ms)
	if [ "$1" = large ]; then
		echo large >&"${CROWD_IN[RANDOM % PARTS]}"
	else
		for ((i = 0; i < PARTS; i++)); do echo small >&"${CROWD_IN[i]}"; done
	fi
	until crowd_complete; do
		if (($(now_ms) - start > 60000)); then
			echo "after a minute: $(<"$DIR/crowd.told")"
			return 1
		fi
	done
	TOOK=$(($(now_ms) - start))
}

crowd_health() { # how often the counts were not what they must be; sets ODD
	local said
	said=$(body '/health/websocket?verbose' | jq -r '[.status, .connections.active, (.components.audit.drift // 0)] | join(" ")')
	if [ "$said" != "ok $N 0" ]; then
		ODD=$((ODD + 1))
		echo "health said: $said"
	fi
}

kernel_mib() { # what the kernel holds for sockets and descriptors
	awk '/^(Slab|KernelStack|PageTables):/ { n += $2 } END { print int(n / 1024) }' /proc/meminfo
}

crowd_start() {
	local i each limit
	limit=$(($(ulimit -Hn) - 1000))
	WORKERS=$((N / (limit * 9 / 10) + 1)) PARTS=$((N / (limit * 2 / 3) + 1))
	each=$((N / PARTS)) N=$((N / PARTS * PARTS))
	ulimit -Sn "$(ulimit -Hn)"
	start_both PARLEY_WORKERS=$WORKERS PARLEY_CONNECTIONS_MAX=$((N * 2)) \
		PARLEY_CONNECTIONS_PER_ADDRESS_MAX=$N PARLEY_STORE_QUEUE_MAX=100000 || return
	SERVERS="$GATEWAY $(children)"
	PSS=$(pss_kib $SERVERS) KERNEL=$(kernel_mib) CPU=$(cpu_ms $SERVERS)
	BEGUN=$(now_ms) CROWD_IN=() TELLS=0
	for ((i = 0; i < PARTS; i++)); do
		mkfifo "$DIR/crowd$i.in"
		exec {CROWD_IN[i]}<>"$DIR/crowd$i.in"
		"$TOOLS/load" crowd "$each" 10 --room crowd --from "127.0.1.$((i + 1)):0" "127.0.0.1:$PORT" \
			<"$DIR/crowd$i.in" >"$DIR/crowd$i.log" 2>>"$DIR/crowd.err" &
		PIDS+=($!)
	done
	until crowd_complete; do
		(($(now_ms) - BEGUN < 300000)) || return 1
		pause
	done
}

bench_crowd() {
	local hold=${CROWD_HOLD:-600} end next i=0 large=() small=() start
	N=${CROWD:-200000} ODD=0
	echo "# $N links, all in one room and each in one of ten, held for $hold s"
	setup_daemons
	if ! crowd_start; then
		echo "not all could connect: $(<"$DIR/crowd.told")"
		teardown_daemons
		return
	fi
	CPU=$(($(cpu_ms $SERVERS) - CPU))
	echo "in: links=$N workers=$WORKERS load_processes=$PARTS seconds=$((($(now_ms) - BEGUN) / 1000))" \
		"cpu_us_per_link=$((CPU * 1000 / N)) pss_bytes_per_link=$((($(pss_kib $SERVERS) - PSS) * 1024 / N))" \
		"kernel_bytes_per_link_both_ends=$((($(kernel_mib) - KERNEL) * 1048576 / N))"
	body '/health/websocket?verbose' | jq -c '"spread: \([.workers[].active] | [min, max])"'
	end=$(($(now_ms) + hold * 1000)) next=$(now_ms)
	while (($(now_ms) < end)); do
		if (($(now_ms) >= next)); then
			if ((++i % ${CROWD_SMALL:-6} == 0)); then
				crowd_says small && small+=("$TOOK")
			else
				crowd_says large && large+=("$TOOK")
			fi
			next=$((next + ${CROWD_EVERY:-10000}))
		fi
		crowd_health
		read -rt 0.5 <> <(:) || true
	done
	echo "large: messages=${#large[@]} median_ms=$(printf '%s\n' "${large[@]}" | median) small: rounds=${#small[@]} median_ms=$(printf '%s\n' "${small[@]}" | median)"
	echo "held: links=$C_open gone=$C_gone odd_health=$ODD deliveries=$C_deliveries lost=$C_lost repeated=$C_repeated again=$C_again errors=$C_errors"
	start=$(now_ms)
	kill -KILL "$(worker_pid 0)"
	until crowd_tell && ((C_gone > 0)) && crowd_complete; do
		(($(now_ms) - start < 120000)) || break
		pause
	done
	echo "a worker killed: gone=$C_gone all_back_and_complete_ms=$(($(now_ms) - start)) lost=$C_lost repeated=$C_repeated errors=$C_errors"
	await 10000 websocket ".status == \"ok\" and .connections.active == $N"
	echo "health: $(body /health/websocket | jq -c '[.status, .connections]') audit_drift=$(metric audit_drift)"
	teardown_daemons
	DIR=/nonexistent
}
