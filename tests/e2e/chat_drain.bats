# Drain with a thousand clients: not ready first, closes at a pace, gone before the
# deadline, and nobody loses a message; also with clients that never answer.

load lib

@test "drain with 1,000 clients that talk: nobody loses a message, SQLite" {
	"$ROOT/tests/chaos/run" --store sqlite --seconds 8 --seed "${CHAOS_SEED:-$RANDOM}" \
		--harm drain --clients 1000 --rooms 50 --step 4000 \
		--set PARLEY_DRAIN_SPREAD_MS=1000 --set PARLEY_DRAIN_DEADLINE_MS=8000
}

@test "drain with 1,000 clients that never answer: gone before the deadline" {
	setup_daemons
	use_store sqlite
	start_both PARLEY_DRAIN_SPREAD_MS=500 PARLEY_DRAIN_DEADLINE_MS=6000 \
		PARLEY_CLOSE_TIMEOUT_MS=500
	clients 1000
	kill -STOP "$LOAD"
	kill -TERM "$GATEWAY"
	await 1000 code_is /health/ready 503
	await 6000 gone "$GATEWAY"
	wait "$GATEWAY"
	teardown_daemons
}
