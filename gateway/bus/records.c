#include "gateway/bus/records.h"

#include <errno.h>
#include <string.h>

/* A message on the bus: this, then room, id, from and body end to end. */
struct packed_message {
	uint64_t seq, generation, ticket, epoch, read_us;
	int64_t at_ms;
	uint32_t slot, body_len;
	uint8_t room_len, id_len, from_len, repeat, unused[4];
};

struct packed_lost {
	uint64_t epoch;
	uint32_t slot, unused;
};

struct packed_refused {
	uint64_t generation, ticket;
	uint32_t slot, reason;
};

/* A cast: this, then its bytes. */
struct packed_cast {
	uint64_t generation, epoch;
	uint32_t slot, unused;
};

static int write_packed(struct bus *bus, enum record_type type,
			struct packed_message *head, const struct message *message)
{
	const struct text *texts[] = { &message->room, &message->id, &message->from,
				       &message->body };
	struct iovec parts[5] = { { head, sizeof *head } };

	if (message->room.len > ROOM_NAME_MAX || message->id.len > MESSAGE_ID_MAX ||
	    message->from.len > USER_NAME_MAX)
		return -EMSGSIZE;
	head->seq = message->seq;
	head->at_ms = message->at_ms;
	head->read_us = message->read_us;
	head->room_len = (uint8_t)message->room.len;
	head->id_len = (uint8_t)message->id.len;
	head->from_len = (uint8_t)message->from.len;
	head->body_len = message->body.len;
	for (unsigned i = 0; i < 4; i++)
		parts[i + 1] = (struct iovec){ (void *)(uintptr_t)texts[i]->at,
					       texts[i]->len };
	return bus_write(bus, type, parts, 5);
}

int record_write_submit(struct bus *bus, const struct record_submit *submit)
{
	struct packed_message head = {
		.generation = submit->generation,
		.ticket = submit->ticket,
		.epoch = submit->epoch,
	};

	return write_packed(bus, RECORD_SUBMIT, &head, &submit->message);
}

int record_write_message(struct bus *bus, const struct record_message *message)
{
	struct packed_message head = {
		.slot = message->slot,
		.generation = message->generation,
		.ticket = message->ticket,
		.repeat = message->repeat,
	};

	return write_packed(bus, RECORD_MESSAGE, &head, &message->message);
}

int record_write_hello(struct bus *bus, uint64_t epoch)
{
	struct iovec part = { &epoch, sizeof epoch };

	return bus_write(bus, RECORD_HELLO, &part, 1);
}

int record_write_lost(struct bus *bus, uint32_t slot, uint64_t epoch)
{
	struct packed_lost lost = { .epoch = epoch, .slot = slot };
	struct iovec part = { &lost, sizeof lost };

	return bus_write(bus, RECORD_LOST, &part, 1);
}

int record_write_refused(struct bus *bus, const struct record_refused *refused)
{
	struct packed_refused packed = {
		.generation = refused->generation,
		.ticket = refused->ticket,
		.slot = refused->slot,
		.reason = refused->reason,
	};
	struct iovec part = { &packed, sizeof packed };

	return bus_write(bus, RECORD_REFUSED, &part, 1);
}

int record_write_cast(struct bus *bus, const struct record_cast *cast)
{
	struct packed_cast head = {
		.generation = cast->generation,
		.epoch = cast->epoch,
		.slot = cast->slot,
	};
	struct iovec parts[] = { { &head, sizeof head },
				 { (void *)(uintptr_t)cast->data, cast->len } };

	return cast->len > CAST_MAX ? -EMSGSIZE : bus_write(bus, RECORD_CAST, parts, 2);
}

int record_write_look(struct bus *bus)
{
	return bus_write(bus, RECORD_LOOK, NULL, 0);
}

/* ---- reading ---- */

static struct text take_text(const uint8_t **at, uint32_t len)
{
	struct text text = { (const char *)*at, len };

	*at += len;
	return text;
}

static int read_packed(const struct bus_record *record, enum record_type type,
		       struct packed_message *ret_head, struct message *ret)
{
	const uint8_t *at = record->data + sizeof *ret_head;
	struct packed_message *head = ret_head;

	if (record->type != type || record->len < sizeof *head)
		return -EPROTO;
	memcpy(head, record->data, sizeof *head);
	if (head->room_len < 1 || head->room_len > ROOM_NAME_MAX ||
	    head->id_len > MESSAGE_ID_MAX || head->from_len > USER_NAME_MAX ||
	    record->len - sizeof *head != (uint64_t)head->room_len + head->id_len +
						  head->from_len + head->body_len)
		return -EPROTO;
	ret->seq = head->seq;
	ret->at_ms = head->at_ms;
	ret->read_us = head->read_us;
	ret->room = take_text(&at, head->room_len);
	ret->id = take_text(&at, head->id_len);
	ret->from = take_text(&at, head->from_len);
	ret->body = take_text(&at, head->body_len);
	return 0;
}

int record_read_submit(const struct bus_record *record, struct record_submit *ret)
{
	struct packed_message head;
	int r = read_packed(record, RECORD_SUBMIT, &head, &ret->message);

	if (r < 0)
		return r;
	if (head.seq || head.at_ms)
		return -EPROTO;
	ret->generation = head.generation;
	ret->ticket = head.ticket;
	ret->epoch = head.epoch;
	return 0;
}

int record_read_message(const struct bus_record *record, struct record_message *ret)
{
	struct packed_message head;
	int r = read_packed(record, RECORD_MESSAGE, &head, &ret->message);

	if (r < 0)
		return r;
	if (!head.seq || head.repeat > 1)
		return -EPROTO;
	ret->repeat = head.repeat;
	ret->slot = head.slot;
	ret->generation = head.generation;
	ret->ticket = head.ticket;
	return 0;
}

static int read_plain(const struct bus_record *record, enum record_type type, void *ret,
		      size_t len)
{
	if (record->type != type || record->len != len)
		return -EPROTO;
	memcpy(ret, record->data, len);
	return 0;
}

int record_read_hello(const struct bus_record *record, uint64_t *ret_epoch)
{
	return read_plain(record, RECORD_HELLO, ret_epoch, sizeof *ret_epoch);
}

int record_read_lost(const struct bus_record *record, uint32_t *ret_slot,
		     uint64_t *ret_epoch)
{
	struct packed_lost lost;
	int r = read_plain(record, RECORD_LOST, &lost, sizeof lost);

	if (r < 0)
		return r;
	*ret_slot = lost.slot;
	*ret_epoch = lost.epoch;
	return 0;
}

int record_read_refused(const struct bus_record *record, struct record_refused *ret)
{
	struct packed_refused refused;
	int r = read_plain(record, RECORD_REFUSED, &refused, sizeof refused);

	if (r < 0)
		return r;
	if (refused.reason >= REFUSAL_COUNT)
		return -EPROTO;
	*ret = (struct record_refused){ refused.slot, refused.generation, refused.ticket,
					refused.reason };
	return 0;
}

int record_read_cast(const struct bus_record *record, struct record_cast *ret)
{
	struct packed_cast head;

	if (record->type != RECORD_CAST || record->len < sizeof head ||
	    record->len - sizeof head > CAST_MAX)
		return -EPROTO;
	memcpy(&head, record->data, sizeof head);
	ret->slot = head.slot;
	ret->generation = head.generation;
	ret->epoch = head.epoch;
	ret->data = record->data + sizeof head;
	ret->len = record->len - sizeof head;
	return 0;
}
