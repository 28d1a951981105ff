# parley-stat drain: asks the gateway to leave and shows how it goes, also as a preStop
# hook; drain and roll stand in /health while they last.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "drain --wait with 1,000 clients: remaining falls to 0, exit 0 within the deadline" {
	start_both PARLEY_DRAIN_ANNOUNCE_MS=800 PARLEY_DRAIN_SPREAD_MS=2000 PARLEY_DRAIN_DEADLINE_MS=6000
	clients 1000
	await 2000 websocket '.connections.active == 1000'
	"$BIN/parley-stat" drain --wait >"$DIR/drain.out" &
	local drain=$!
	await 2000 health /health '.drain.connections == 1000 and .drain.remaining <= 1000 and
		.drain.estimatedSeconds <= .drain.atMostSeconds'
	websocket '.reasons[0] | test("^the gateway drains: [0-9]+ of 1000 connections left, about [0-9]+ s$")'
	[ "$(metric drain_connections)" = 1000 ]
	wait "$drain"
	cat "$DIR/drain.out"
	await 1000 gone "$GATEWAY"
	sed -n 's/^\([0-9]*\) of 1000 connections left, .*/\1/p' "$DIR/drain.out" >"$DIR/left"
	[ "$(wc -l <"$DIR/left")" -ge 4 ]
	[ "$(sort -rnu "$DIR/left")" = "$(cat "$DIR/left")" ] # it only falls
	[ "$(head -1 "$DIR/left")" = 1000 ]
	tail -1 "$DIR/drain.out" | grep -qx 'drained: the gateway is gone after [0-9.]* s'
}

@test "drain --wait on a terminal: one line that is written over, and a last one" {
	start_both PARLEY_DRAIN_ANNOUNCE_MS=800 PARLEY_DRAIN_SPREAD_MS=1000
	clients 50
	script -qec "$BIN/parley-stat drain --wait" "$DIR/screen" </dev/null >/dev/null
	tr '\r' '\n' <"$DIR/screen" | tr -d '\033' >"$DIR/lines"
	cat "$DIR/lines"
	[ "$(grep -c '^\[K50 of 50 connections left' "$DIR/lines")" -ge 1 ]
	grep -q '^\[Kdrained: the gateway is gone after [0-9.]* s$' "$DIR/lines"
	[ "$(grep -c 'connections left' "$DIR/screen")" = 1 ]
}

@test "drain without --wait: asked, and back at once" {
	start_gateway PARLEY_DRAIN_ANNOUNCE_MS=500
	run "$BIN/parley-stat" drain
	[ "$status" = 0 ]
	[ "$output" = "asked the gateway, process $GATEWAY, to drain" ]
	kill -0 "$GATEWAY"
	await 3000 gone "$GATEWAY"
	wait "$GATEWAY"
}

@test "drain is refused clearly without a gateway, and where a dead one left its segment" {
	run "$BIN/parley-stat" drain --wait
	[ "$status" = 1 ]
	[[ $output == "parley-stat: the gateway cannot be asked to drain: "*"no gateway runs under this name" ]]
	start_gateway
	kill -KILL "$GATEWAY"
	await 1000 gone "$GATEWAY"
	run "$BIN/parley-stat" drain --wait
	[ "$status" = 1 ]
	[[ $output == *"the gateway that had this segment is gone"* ]]
	run "$BIN/parley-stat" drain --timeout=soon
	[ "$status" = 78 ]
}

@test "drain --wait gives up at its --timeout, with what is left" {
	start_gateway PARLEY_DRAIN_ANNOUNCE_MS=60000
	clients 3
	run "$BIN/parley-stat" drain --wait --timeout=1
	[ "$status" = 1 ]
	[[ ${lines[-1]} =~ ^parley-stat:\ the\ gateway\ still\ drains\ after\ 1\.[0-9]\ s,\ connections\ left:\ 3$ ]]
}

@test "drain as a preStop hook: TERM on its heels hurries, and the hook ends with the gateway" {
	start_gateway PARLEY_DRAIN_ANNOUNCE_MS=60000
	clients 10
	"$BIN/parley-stat" drain --wait >"$DIR/drain.out" &
	local drain=$!
	await 2000 grep -q 'connections left' "$DIR/drain.out"
	kill -TERM "$GATEWAY"
	wait "$drain"
	await 1000 gone "$GATEWAY"
	wait "$GATEWAY"
	grep -q '^drained' "$DIR/drain.out"
}

rolling_at() { # rolling_at JQ: seen in /health while it rolls
	health /health ".rolling | . != null and $1"
}

@test "rolling on HUP is shown while it lasts: how many of how many, and nobody is refused" {
	start_both PARLEY_WORKERS=3 PARLEY_DRAIN_SPREAD_MS=700
	clients 30
	health /health '.rolling == null'
	kill -HUP "$GATEWAY"
	await 2000 rolling_at '.workers == 3 and .rolled == 0 and .remaining == 3 and .estimatedSeconds > 0'
	await 5000 rolling_at '.rolled == 1'
	[ "$(metric roll_active)" = 1 ]
	[ "$(metric roll_workers)" = 3 ]
	"$BIN/parley-stat" | grep -q '^rolling  [12] of 3 workers replaced  about'
	health /health '.status == "ok"'
	await 5000 rolling_at '.rolled == 2'
	await 10000 health /health '.rolling == null'
	[ "$(metric roll_active)" = 0 ]
}
