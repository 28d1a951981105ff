/*
 * records - what workers and the sequencer say to each other over the bus.
 *
 * Worker to sequencer: SUBMIT, and CAST (bytes for the workers themselves). Sequencer to
 * all workers: MESSAGE (every committed message of every room, in the one order that
 * counts), REFUSED (this submission got no sequence), HELLO (a new sequencer serves),
 * LOST (submissions of this slot did not get through), CAST (relayed, at most once, never
 * kept), LOOK (the store may hold messages that no MESSAGE told of).
 *
 * Every submission is numbered once, whoever dies or is lapped: it carries the *epoch*
 * that its worker last heard in a HELLO, or in a LOST for its slot; 0 for none. The
 * sequencer passes over those of another epoch and answers them with LOST, casts as
 * well. A worker
 * that hears a new epoch submits again, in order, what is unanswered. So what the
 * sequencer takes in an epoch was all submitted after its worker knew of it. What it took
 * before and has not answered yet is then given to the store twice, and its second
 * answer is a repeat.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include "gateway/bus/bus.h"
#include "gateway/message.h"

enum record_type {
	RECORD_SUBMIT = 1,
	RECORD_MESSAGE,
	RECORD_HELLO,
	RECORD_LOST,
	RECORD_REFUSED,
	RECORD_CAST,
	RECORD_LOOK
};

enum {
	CAST_MAX = 16384 /* bytes of one cast */
};

struct record_submit {
	uint64_t generation; /* of the submitting process: who is gone is not answered */
	uint64_t ticket, epoch;
	struct message message; /* seq and at_ms 0 */
};
struct record_message {
	uint32_t slot; /* who submitted it */
	uint64_t generation, ticket;
	/* It was committed before, by another submission: room, id, seq and at_ms are the
	 * first one's, the body may be empty. It need not have been told yet. */
	bool repeat;
	struct message message;
};

struct record_refused {
	uint32_t slot;
	uint64_t generation, ticket;
	enum refusal reason;
};

struct record_cast {
	uint32_t slot;              /* whose; the sequencer's word */
	uint64_t generation, epoch; /* epoch 0 once relayed */
	const void *data;
	size_t len;
};

/* Write to the own ring; 0 or -EMSGSIZE. */
int record_write_submit(struct bus *bus, const struct record_submit *submit);
int record_write_message(struct bus *bus, const struct record_message *message);
int record_write_hello(struct bus *bus, uint64_t epoch);
int record_write_lost(struct bus *bus, uint32_t slot, uint64_t epoch);
int record_write_refused(struct bus *bus, const struct record_refused *refused);
int record_write_cast(struct bus *bus, const struct record_cast *cast);
int record_write_look(struct bus *bus);

/* Read a record of that type; texts and data are lent as the record is. -EPROTO:
 * nonsense. A LOOK has nothing to read. */
int record_read_submit(const struct bus_record *record, struct record_submit *ret);
int record_read_message(const struct bus_record *record, struct record_message *ret);
int record_read_hello(const struct bus_record *record, uint64_t *ret_epoch);
int record_read_lost(const struct bus_record *record, uint32_t *ret_slot,
		     uint64_t *ret_epoch);
int record_read_refused(const struct bus_record *record, struct record_refused *ret);
int record_read_cast(const struct bus_record *record, struct record_cast *ret);

#endif
