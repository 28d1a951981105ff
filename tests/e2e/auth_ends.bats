# A token's end is the link's end, in time; and of a token nothing stays behind.

load lib
load auth
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "a live link is told and closed when its token ends" {
	start_jwt PARLEY_JWT_LEEWAY_S=1
	local from
	from=$(now_ms)
	bearer "$(token '{"sub":"ann","exp":"+1"}')"
	bearer "$(token '{"sub":"bob","exp":"+600"}')"
	local bob=$OUT ann=$DIR/client-1.out
	await 3000 grep -q '^#close 4001 the token has expired$' "$ann"
	(($(now_ms) - from >= 1900))
	(($(now_ms) - from <= 3000 * TOLERANCE))
	await 1000 websocket '.connections.active == 1'
	! grep -q '#close' "$bob" || false
	[ "$(body /metrics | sed -n 's/^parley_connections_closed_total{reason="expired"} //p')" = 1 ]
}

@test "nothing of a token stands in a log, in the segment or on a command line" {
	start_jwt
	local t pid part
	t=$(token '{"sub":"ann","exp":"+60","jti":"a-mark-of-its-own"}')
	bearer "$t"
	[ "$(status "?access_token=$t")" = 101 ]
	[ "$(status '' "Sec-WebSocket-Protocol: parley.v1, bearer.$t")" = 101 ]
	[ "$(status "?access_token=${t}AAAA")" = 401 ]
	[ "$(status "?access_token=$t" "Authorization: Bearer $t")" = 400 ]
	[ "$(status "?access_token=$t&x=%")" = 101 ]
	await 1000 grep -q 'token refused why=' "$DIR/gateway.log"
	kill -KILL "$(worker_pid 0)" # its obituary is a log line, too
	await 3000 grep -q 'reason=killed' "$DIR/gateway.log"
	for part in ${t//./ } a-mark-of-its-own; do
		! grep -aF "$part" "$DIR/gateway.log" "$DIR/healthd.log" "/dev/shm/$SEGMENT" || false
		for pid in $GATEWAY $(pgrep -P "$GATEWAY"); do
			! grep -aF "$part" "/proc/$pid/cmdline" "/proc/$pid/environ" || false
		done
	done
}
