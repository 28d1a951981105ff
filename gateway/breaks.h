/*
 * breaks - how a gateway is made that breaks its promises, to prove the checker.
 *
 * tests/chaos must find what it is there to find. `make broken` links one gateway more
 * for each of these, under build/MODE/broken/NAME, from the few files that include this
 * header; in every other build all of them are 0 and the compiler drops what hangs on
 * them. tests/e2e/chaos_proof.bats has the checker find each.
 *
 *   ack_before_commit  what is said to be durable is not yet: SQLite's batch is committed
 *                      when the next one begins, PostgreSQL flushes later
 *   no_unique          the index that finds a message that was there already is left out
 *   drop_bus           some messages are not heard on the bus, what is missing is taken
 *                      for heard, and nobody looks at the store for it
 */
#ifndef BREAKS_H
#define BREAKS_H

#ifndef PARLEY_BREAK_ack_before_commit
#define PARLEY_BREAK_ack_before_commit 0
#endif
#ifndef PARLEY_BREAK_no_unique
#define PARLEY_BREAK_no_unique 0
#endif
#ifndef PARLEY_BREAK_drop_bus
#define PARLEY_BREAK_drop_bus 0
#endif

/* Whether the message of this sequence is not heard. */
#define BREAK_DROPS(seq) (PARLEY_BREAK_drop_bus && (seq) % 64 == 0)

/* Parts of statements. */
#if PARLEY_BREAK_no_unique
#define MESSAGES_UNIQUE ""
#else
#define MESSAGES_UNIQUE ", UNIQUE (room_id, sender, client_id)"
#endif
#if PARLEY_BREAK_ack_before_commit
#define BREAK_SYNCHRONOUS_FROM "on"
#define BREAK_SYNCHRONOUS_TO   "off"
#else
#define BREAK_SYNCHRONOUS_FROM "off"
#define BREAK_SYNCHRONOUS_TO   "on"
#endif

#endif
