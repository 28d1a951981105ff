# Every fault there is, in random order and together, on a running pair under load: no
# wrong answer past its time, nothing lost, doubled or misordered, no drift, nothing
# leaked. `make chaos` is the long form; chaos_prober.bats proves that it would be found.

load lib

ordeal() { # ordeal STORE
	run "$ROOT/tests/chaos/ordeal" --store "$1" --seconds "${CHAOS_SECONDS:-9}" --calm 60 \
		--seed "${CHAOS_SEED:-$RANDOM}" --clients 60 --gap 500
	echo "$output"
	[ "$status" = 0 ]
}

@test "the ordeal on SQLite: every verdict is that the promise was kept" {
	ordeal sqlite
}

@test "the ordeal on PostgreSQL: every verdict is that the promise was kept" {
	"$ROOT/tests/postgres.bash" installed || skip "no PostgreSQL server is installed"
	ordeal postgresql
}
