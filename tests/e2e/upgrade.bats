# USR2 puts another program in the gateway's place, in the same process: nobody is refused,
# totals and uptime go on, and health has nothing to complain of.

load lib
load upgrade
setup() {
	setup_daemons
	own_program
}
teardown() { teardown_daemons; }

total() { body /health/websocket | jq .connections.total; }
uptime_ms() { body /health/websocket | jq '.uptime * 1000 | floor'; }
gone_on() { # gone_on TOTAL UPTIME: neither went back
	(($(total) >= $1 && $(uptime_ms) >= $2))
}

@test "binary upgrade under load: nobody refused, same process, totals and uptime go on, no probe fails" {
	start_both
	client ann
	"$TOOLS/load" storm 50 4 "127.0.0.1:$PORT" >"$DIR/storm.log" 2>&1 &
	local storm=$! before up old
	PIDS+=("$storm")
	await 2000 websocket '.connections.total > 20'
	before=$(total) up=$(uptime_ms) old=$(worker_pid 0)
	version_is 0.1.0
	prober

	install_program "$OTHERS/next/parley-gateway"
	upgrade
	await 5000 version_is 0.1.0-next
	gone_on "$before" "$up"
	[ "$(readlink "/proc/$GATEWAY/exe")" = "$PROGRAM" ]
	[ "$(readlink "/proc/$(worker_pid 0)/exe")" = "$PROGRAM" ]
	gone "$old"
	wait "$storm"
	prober_says 200 ok degraded
	cat "$DIR/storm.log"
	grep -q ' refused=0' "$DIR/storm.log"
	websocket '.restarts == 0'
	await 3000 grep -q '"op":"drain"' "$OUT"
}

@test "twice in a row, and back to the version before: what a later one counted stays" {
	start_both
	clients 20
	local n
	for n in 1 2; do
		install_program "$OTHERS/next/parley-gateway"
		upgrade
		await 5000 version_is 0.1.0-next
		install_program "$BIN/parley-gateway"
		upgrade
		await 5000 version_is 0.1.0
	done
	logged 4 'gateway goes on'
	[ "$(metric upgrades_total)" = 4 ]
	[ "$(metric 'gateway_info{version="0.1.0"}')" = 1 ]
	websocket '.connections.total >= 20 and .restarts == 0'
}

@test "a program that cannot take over changes nothing, and the gateway says why" {
	start_both
	local first
	first=$(worker_pid 0)
	install_script 'echo "parley-gateway: not today" >&2; exit 78'
	upgrade
	await 3000 logged 1 'upgrade refused.*not today'
	install_script 'echo "the settings are valid"'
	upgrade
	await 3000 logged 1 'upgrade refused.*the settings are valid'
	install_program "$OTHERS/foreign/parley-gateway"
	upgrade
	await 3000 logged 1 'upgrade refused.*has other counters than this build'
	rm "$PROGRAM"
	upgrade
	await 3000 logged 1 'upgrade refused.*No such file'
	websocket '.status == "ok" and .version == "0.1.0"'
	[ "$(worker_pid 0)" = "$first" ]
}

@test "a program that does not answer is ended, and one with a wrong setting refuses" {
	echo >"$DIR/conf"
	start_both PARLEY_CONFIG="$DIR/conf" PARLEY_START_TIMEOUT_MS=500
	local first
	first=$(worker_pid 0)
	install_script 'exec tail -f /dev/null'
	upgrade
	await 3000 logged 1 'upgrade refused.*did not answer in time'
	install_program "$BIN/parley-gateway"
	echo PARLEY_MESSAGE_MAX=many >"$DIR/conf"
	upgrade
	await 3000 logged 1 'upgrade refused.*PARLEY_MESSAGE_MAX'
	[ "$(worker_pid 0)" = "$first" ]
	echo PARLEY_MESSAGE_MAX=2000 >"$DIR/conf"
	upgrade
	await 5000 logged 1 'gateway reloaded'
	client ann
	grep -q '"message":2000' "$OUT"
}
