# /events streams what /health says: every second, at once on a change, and hurts no probe.
# alone

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

listen() { # listen NAME PATH: streams into $DIR/NAME
	curl -sSN -o "$DIR/$1" "$HEALTH$2" 2>"$DIR/$1.log" &
	PIDS+=($!)
}
n_events() { # n_events NAME KIND: how many came
	grep -c "^event: $2$" "$DIR/$1" || true
}
has_events() { # has_events NAME KIND N: at least
	[ "$(n_events "$1" "$2")" -ge "$3" ]
}
last_is() { # last_is NAME JQ: the last whole event is like this
	sed -n 's/^data: //p' "$DIR/$1" | tail -n 1 | jq -e "$2" >/dev/null 2>&1
}
count() { # count METRIC
	body /metrics | sed -n "s/^parley_healthd_$1 //p"
}
count_is() { # count_is METRIC N
	[ "$(count "$1")" = "$2" ]
}

@test "events: one a second, and at once when the verdict is another" {
	start_both
	listen health /events
	await 3000 has_events health health 3
	last_is health '.status == "ok" and .components.websocket.workers'
	kill -KILL "$GATEWAY"
	await 300 last_is health '.status == "error" and .components.websocket.server == "stopped"'
}

@test "events: the page's parts come with the page's stream, and both end with healthd" {
	start_both
	listen page "/events?page"
	listen health /events
	await 4000 has_events page live 3
	has_events page charts 1
	await 1000 count_is streams 2
	kill -TERM "$HEALTHD"
	await 1000 gone "$HEALTHD"
	await 1000 gone "${PIDS[-1]}"
}

@test "events: no more streams than may be; who is refused gets 503, and counts" {
	start_both PARLEY_HEALTH_STREAMS_MAX=2
	listen one /events
	listen two "/events?page"
	await 1000 count_is streams 2
	code_is /events 503
	code_is /health/live 200
	count_is streams_refused_total 1
	kill "${PIDS[-1]}"
	await 1000 count_is streams 1
}

@test "events: who does not read is dropped, and the probes of others are not late" {
	start_both PARLEY_HEALTH_REQUEST_TIMEOUT_MS=500
	"$PYTHON" - "${HEALTH##*:}" >"$DIR/deaf.log" 2>&1 <<-'END' &
		import signal, socket, sys
		held = []
		for i in range(16):
		    s = socket.socket()
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
		    s.connect(("127.0.0.1", int(sys.argv[1])))
		    s.send(b"GET /events?page HTTP/1.1\r\nHost: a\r\n\r\n")
		    held.append(s)
		signal.pause()
	END
	PIDS+=($!)
	await 3000 count_is streams_opened_total 16
	run "$TOOLS/probes" "${HEALTH##*:}" /health/live 1000 1
	echo "$output"
	[[ $output =~ p99_us=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -lt $((5000 * TOLERANCE)) ]
	await 20000 count_is streams_dropped_total 16
	count_is streams 0
}

@test "events: healthd that is watched by many stays under 4 MiB" {
	start_both PARLEY_WORKERS=2
	local i before
	of_healthd() { awk -v what="$1:" '$1 == what { print $2 }' "/proc/$HEALTHD/smaps_rollup"; }
	for i in {1..8}; do listen "page$i" "/events?page"; done
	await 5000 has_events page8 live 3
	before=$(of_healthd Anonymous)
	await 5000 has_events page8 live 6
	echo "before=$before KiB after=$(of_healthd Anonymous) KiB PSS=$(of_healthd Pss) KiB"
	[ "$MODE" != release ] || [ "$(of_healthd Pss)" -lt 4096 ]
}
