# The checker is proven: of each gateway that is broken on purpose (gateway/breaks.h) it
# finds what it is there to find, on both stores.

load lib

# found BREAK STORE HARM PATTERN: a violation in these words. It ends with the first one,
# which on a slow machine takes more harm, and longer.
found() {
	GATEWAY_BIN=$ROOT/build/$MODE/broken/$1/parley-gateway run "$ROOT/tests/chaos/run" \
		--store "$2" --harm "$3" --seconds 60 --settle 5 --seed 1 --clients 100 \
		--rooms 10 --step 60 --first
	echo "$output"
	[ "$status" = 1 ]
	grep -E "^violation .*($4)" <<<"$output"
}

# What was lost is missing from history, or is there anew: sent again, as another sequence.
LOST='lost: |is told that the head is|two orders|acknowledged as seq|twice: '

@test "acknowledged before it is committed, SQLite: found" {
	found ack_before_commit sqlite kill-sequencer "$LOST"
}

@test "acknowledged before it is committed, PostgreSQL: found" {
	found ack_before_commit postgresql kill-postgres "$LOST"
}

@test "without the unique index, SQLite: found" {
	found no_unique sqlite pause-worker 'twice: |its repeat as seq'
}

@test "without the unique index, PostgreSQL: found" {
	found no_unique postgresql pause-worker 'twice: |its repeat as seq'
}

@test "a message dropped on the bus and never looked for, SQLite: found" {
	found drop_bus sqlite pause-worker 'hole: '
}

@test "a message dropped on the bus and never looked for, PostgreSQL: found" {
	found drop_bus postgresql pause-worker 'hole: '
}
