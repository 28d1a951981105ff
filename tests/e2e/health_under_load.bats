# Health is told in time whatever the gateway does: p99 under 5 ms.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

probe_p99() { # microseconds over 1,000 probes, one at a time
	run "$TOOLS/probes" "${HEALTH##*:}" /health/websocket 1000 1
	echo "$output"
	[ "$status" = 0 ]
	[[ $output =~ p99_us=([0-9]+) ]]
	# The scheduler of a machine that is busy with other things is not healthd's.
	[ "${BASH_REMATCH[1]}" -lt $((5000 * TOLERANCE)) ]
}

@test "a probe is answered in under 5 ms with every worker in an endless loop" {
	start_both PARLEY_WORKERS=2 PARLEY_HANG_ACT_MS=60000
	"$TOOLS/wedge" "$(worker_pid 0)" loop
	"$TOOLS/wedge" "$(worker_pid 1)" loop
	await 1500 websocket '.server == "hung"'
	probe_p99
}

@test "a probe is answered in under 5 ms with every process of the gateway stopped" {
	start_both PARLEY_WORKERS=2
	kill -STOP "$GATEWAY" "$(worker_pid 0)" "$(worker_pid 1)"
	await 1500 websocket '.server == "hung"'
	probe_p99
}

@test "a probe is answered in under 5 ms with the gateway at work on every processor" {
	start_both PARLEY_WORKERS=2
	"$TOOLS/load" room 400 2000 64 "127.0.0.1:$PORT" >"$DIR/room.log" 2>&1 &
	local room=$!
	PIDS+=("$room")
	await 3000 websocket '.connections.active > 300'
	probe_p99
	wait "$room"
}

@test "healthd does not grow over many requests, and stays under 4 MiB" {
	start_both PARLEY_WORKERS=1 PARLEY_HEALTH_REQUESTS_MAX=10000000
	of_healthd() { awk -v what="$1:" '$1 == what { print $2 }' "/proc/$HEALTHD/smaps_rollup"; }
	local before after i
	# The first connections to be closed touch what the first requests did not.
	for i in 1 2 3; do
		"$TOOLS/probes" "${HEALTH##*:}" /health/websocket 10000 8
	done
	# What is its own alone: its share of the libraries grows when others end.
	before=$(of_healthd Anonymous)
	"$TOOLS/probes" "${HEALTH##*:}" /health/websocket "${PROBES:-100000}" 8
	after=$(of_healthd Anonymous)
	echo "before=$before KiB after=$after KiB PSS=$(of_healthd Pss) KiB"
	[ "$MODE" = release ] || return 0 # a sanitizer keeps what is freed
	[ "$after" -le "$before" ]
	[ "$(of_healthd Pss)" -lt 4096 ]
}
