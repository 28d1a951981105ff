# A worker SIGKILLed again and again under load: who resumes misses nothing and sees
# nothing twice, and everything acknowledged is in history once.

load lib

killed() { # killed STORE
	"$ROOT/tests/chaos/run" --store "$1" --seconds 5 --seed "${CHAOS_SEED:-$RANDOM}" \
		--harm kill-worker --clients 100 --rooms 10 --step 100
}

@test "workers SIGKILLed at any instant under load, SQLite" {
	killed sqlite
}

@test "workers SIGKILLed at any instant under load, PostgreSQL" {
	killed postgresql
}
