# Thousands who connect at once, after all workers died: all are in soon, no worker is
# hung, nobody is forgotten. STORM=50000 is the long form (tests/bench/run storm).

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "a connect storm of 5,000 after every worker was killed" {
	use_store sqlite
	start_both PARLEY_WORKERS=2
	mkfifo "$DIR/storm.in"
	"$TOOLS/load" idle 5000 --reconnect --room storm "127.0.0.1:$PORT" \
		<>"$DIR/storm.in" >"$DIR/storm.log" 2>&1 &
	PIDS+=($!)
	await 20000 grep -q '^open 5000' "$DIR/storm.log"
	kill -KILL "$(worker_pid 0)" "$(worker_pid 1)"
	await 20000 websocket '.connections.active == 5000 and (.workers | all(.state == "serving"))'
	websocket '.workers | all(.restarts == 1)'
	await 2000 code_is /health/ready 200
}
