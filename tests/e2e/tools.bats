# parley-stat and parley-probe say what healthd says, from the same judge.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "parley-stat: once for people, as JSON for programs" {
	start_both PARLEY_WORKERS=2
	clients 3
	await 1000 websocket '.connections.active == 3'
	run "$BIN/parley-stat"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *ok* && $output == *running* ]]
	"$BIN/parley-stat" --json | jq -e '.status == "ok" and .connections.active == 3'
}

@test "parley-probe: each question has its exit code" {
	run "$BIN/parley-probe" live
	[ "$status" = 1 ]
	start_gateway
	local what
	for what in live ready startup websocket; do
		"$BIN/parley-probe" "$what"
	done
	kill -STOP "$(pgrep -P "$GATEWAY" | head -1)"
	"$BIN/parley-probe" live
}

@test "metrics: one HELP and TYPE a name, totals that never go back, OpenMetrics when asked" {
	start_both
	clients 4
	await 1000 websocket '.connections.active == 4'
	body /metrics >"$DIR/metrics"
	grep -qx 'parley_up 1' "$DIR/metrics"
	[ -z "$(grep '^# TYPE' "$DIR/metrics" | sort | uniq -d)" ]
	awk '$1 == "parley_connections_opened_total" { exit $2 == 4 ? 0 : 1 }' "$DIR/metrics"
	awk '/^parley_connections\{/ && /state="active"/ { n += $2 } END { exit n == 4 ? 0 : 1 }' "$DIR/metrics"
	curl -sS -H 'Accept: application/openmetrics-text; version=1.0.0' "$HEALTH/metrics" | tail -1 | grep -qx '# EOF'
}

@test "healthd: HEAD, 405 with Allow, 404 in JSON, nothing cached" {
	start_healthd
	run curl -sSI "$HEALTH/health/live"
	[[ $output == *"200 OK"* && $output == *"Cache-Control: no-store"* ]]
	run curl -sSi -X POST "$HEALTH/health/live"
	[[ $output == *"405 "* && $output == *"Allow: GET, HEAD"* ]]
	run curl -sSi "$HEALTH/nothing"
	[[ $output == *"404 "* && $output == *'{'* ]]
	health /health/database '.status == "error" and .latencyMs == null and (.reason | length) > 0'
}
