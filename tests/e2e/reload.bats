# HUP rolls the workers one by one onto new settings; no client is refused meanwhile.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

rolled() { # rolled OLD0 OLD1
	websocket '.workers | all(.state == "serving")' &&
		[ "$(worker_pid 0)" != "$1" ] && [ "$(worker_pid 1)" != "$2" ]
}

@test "rolling reload on HUP: new workers with new settings, nobody refused" {
	echo PARLEY_MESSAGE_MAX=1000 >"$DIR/conf"
	start_both PARLEY_CONFIG="$DIR/conf"
	client ann
	grep -q '"message":1000' "$OUT"
	local first second
	first=$(worker_pid 0) second=$(worker_pid 1)
	"$TOOLS/load" storm 50 4 "127.0.0.1:$PORT" >"$DIR/storm.log" 2>&1 &
	local storm=$!
	PIDS+=("$storm")

	echo PARLEY_MESSAGE_MAX=2000 >"$DIR/conf"
	kill -HUP "$GATEWAY"
	await 8000 rolled "$first" "$second"
	await 500 websocket '.status == "ok" and .restarts == 0'
	wait "$storm"
	grep -q ' refused=0' "$DIR/storm.log"
	client bob
	grep -q '"message":2000' "$OUT"
}

@test "reload with a bad setting: told, and the old ones stay" {
	echo PARLEY_MESSAGE_MAX=1000 >"$DIR/conf"
	start_both PARLEY_CONFIG="$DIR/conf"
	local first
	first=$(worker_pid 0)
	echo PARLEY_MESSAGE_MAX=many >"$DIR/conf"
	kill -HUP "$GATEWAY"
	await 2000 grep -q 'PARLEY_MESSAGE_MAX' "$DIR/gateway.log"
	websocket '.status == "ok"'
	[ "$(worker_pid 0)" = "$first" ]
}
