# Hundreds of clients, cut off at random, on a gateway whose processes are killed,
# stopped, paused and rolled: the checker finds no violation. `make delivery` is the long form.

load lib

chaos() { # chaos STORE
	"$ROOT/tests/chaos/run" --store "$1" --seconds "${CHAOS_SECONDS:-8}" \
		--seed "${CHAOS_SEED:-$RANDOM}" --clients 120 --rooms 12
}

@test "chaos on SQLite: one order, no hole, no double, nothing acknowledged is lost" {
	chaos sqlite
}

@test "chaos on PostgreSQL: one order, no hole, no double, nothing acknowledged is lost" {
	chaos postgresql
}
