# Rolling reload, upgrade and drain under load: nobody loses a message.

load lib

leave() { # leave STORE HARM
	"$ROOT/tests/chaos/run" --store "$1" --seconds 6 --seed "${CHAOS_SEED:-$RANDOM}" \
		--harm "$2" --clients 100 --rooms 10 --step 100
}

@test "workers rolled under load, SQLite" {
	leave sqlite roll
}

@test "workers rolled under load, PostgreSQL" {
	leave postgresql roll
}

@test "another version in its place and back under load, SQLite" {
	leave sqlite upgrade
}

@test "another version in its place and back under load, PostgreSQL" {
	leave postgresql upgrade
}

@test "the gateway drained under load and started again, SQLite" {
	leave sqlite drain
}

@test "the gateway drained under load and started again, PostgreSQL" {
	leave postgresql drain
}
