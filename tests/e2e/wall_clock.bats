# The wall clock is only ever shown: when it jumps, `timestamp` moves and nothing else does.

load lib
setup() {
	setup_daemons
	make_wall_clock || skip "a sanitizer's library must be loaded first"
}
teardown() { teardown_daemons; }

YEAR=31556952
jump_to() { # jump_to YEARS: so many from the real time
	set_wall_clock $(($1 * YEAR))
}
year_is() {
	websocket "(.timestamp[0:4] | tonumber) == $(date -u -d "$1 years" +%Y)"
}
two_seconds_passed() {
	(($(now_ms) - since >= 2000))
}
undisturbed() {
	websocket '.status == "ok" and .connections.active == 5 and .connections.total == 5' &&
		websocket '.uptime < 60 and .restarts == 0 and (.workers | all(.heartbeatAgeMs < 500))' &&
		code_is /health/ready 200 && code_is /health/live 200
}

@test "wall clock jumps by years, both ways: only timestamp moves" {
	start_both "$WALL_CLOCK" PARLEY_PING_INTERVAL_MS=300 PARLEY_PING_TIMEOUT_MS=300
	grep -q wall.so "/proc/$(worker_pid 0)/maps"
	clients 5
	await 1000 undisturbed
	local years since
	for years in 10 -10; do
		jump_to $years
		year_is $years
		since=$(now_ms)
		await 3000 two_seconds_passed
		await 100 undisturbed
		year_is $years
	done
	# And what hangs is told and mended as ever.
	kill -STOP "$(worker_pid 0)"
	await 1200 websocket '.workers[] | select(.seat == 0) | .hang == "stopped"'
	await 4000 websocket '.restarts == 1 and (.workers | all(.state == "serving"))'
}

@test "wall clock jumps: the start grace of healthd goes on" {
	start_healthd "$WALL_CLOCK" PARLEY_HEALTH_START_GRACE_MS=2000
	jump_to 10
	year_is 10
	code_is /health/live 200
	jump_to -10
	await 3000 code_is /health/live 503
}
