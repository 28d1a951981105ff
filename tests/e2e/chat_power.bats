# The power cut of a store: kill -9 in the middle of commits. What was acknowledged is
# there, once, in its place; what was not comes once at most.

load lib

cut() { # cut STORE HARM
	"$ROOT/tests/chaos/run" --store "$1" --seconds 6 --seed "${CHAOS_SEED:-$RANDOM}" \
		--harm "$2" --clients 100 --rooms 10 --step 60
}

@test "PostgreSQL killed and started again under load" {
	cut postgresql kill-postgres
}

@test "PostgreSQL stopped for a while under load" {
	cut postgresql pause-postgres
}

@test "the writer of SQLite killed in the middle of commits" {
	cut sqlite kill-sequencer
}

@test "the writer to PostgreSQL killed in the middle of commits" {
	cut postgresql kill-sequencer
}

@test "the whole gateway killed and started again, SQLite" {
	cut sqlite kill-gateway
}

@test "the whole gateway killed and started again, PostgreSQL" {
	cut postgresql kill-gateway
}
