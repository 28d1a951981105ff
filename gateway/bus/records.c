#include "gateway/bus/records.h"

#include <errno.h>
#include <string.h>

/* A message on the bus: this, then room, id, from and body end to end. */
struct packed_message {
	uint64_t seq, generation, ticket;
	int64_t at_ms;
	uint32_t slot, body_len;
	uint8_t room_len, id_len, from_len, unused[5];
};

static int write_packed(struct bus *bus, enum record_type type,
			const struct message *message, uint32_t slot, uint64_t generation,
			uint64_t ticket)
{
	const struct text *text[] = { &message->room, &message->id, &message->from,
				      &message->body };
	struct packed_message head = {
		.seq = message->seq,
		.generation = generation,
		.ticket = ticket,
		.at_ms = message->at_ms,
		.slot = slot,
		.body_len = message->body.len,
		.room_len = (uint8_t)message->room.len,
		.id_len = (uint8_t)message->id.len,
		.from_len = (uint8_t)message->from.len,
	};
	struct iovec parts[5] = { { &head, sizeof head } };

	if (message->room.len > ROOM_NAME_MAX || message->id.len > MESSAGE_ID_MAX ||
	    message->from.len > USER_NAME_MAX)
		return -EMSGSIZE;
	for (unsigned i = 0; i < 4; i++)
		parts[i + 1] = (struct iovec){ (void *)(uintptr_t)text[i]->at,
					       text[i]->len };
	return bus_write(bus, type, parts, 5);
}

int record_write_submit(struct bus *bus, const struct record_submit *submit)
{
	return write_packed(bus, RECORD_SUBMIT, &submit->message, 0, submit->generation,
			    submit->ticket);
}

int record_write_message(struct bus *bus, const struct record_message *message)
{
	return write_packed(bus, RECORD_MESSAGE, &message->message, message->slot,
			    message->generation, message->ticket);
}

int record_write_hello(struct bus *bus, uint64_t generation)
{
	struct iovec part = { &generation, sizeof generation };

	return bus_write(bus, RECORD_HELLO, &part, 1);
}

int record_write_lost(struct bus *bus, uint32_t slot)
{
	struct iovec part = { &slot, sizeof slot };

	return bus_write(bus, RECORD_LOST, &part, 1);
}

int record_write_refused(struct bus *bus, const struct record_refused *refused)
{
	struct record_refused copy;
	struct iovec part = { &copy, sizeof copy };

	memset(&copy, 0, sizeof copy); /* no stray bytes between the members */
	copy.slot = refused->slot;
	copy.generation = refused->generation;
	copy.ticket = refused->ticket;
	return bus_write(bus, RECORD_REFUSED, &part, 1);
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
	ret->generation = head.generation;
	ret->ticket = head.ticket;
	return 0;
}

int record_read_message(const struct bus_record *record, struct record_message *ret)
{
	struct packed_message head;
	int r = read_packed(record, RECORD_MESSAGE, &head, &ret->message);

	if (r < 0)
		return r;
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

int record_read_hello(const struct bus_record *record, uint64_t *ret_generation)
{
	return read_plain(record, RECORD_HELLO, ret_generation, sizeof *ret_generation);
}

int record_read_lost(const struct bus_record *record, uint32_t *ret_slot)
{
	return read_plain(record, RECORD_LOST, ret_slot, sizeof *ret_slot);
}

int record_read_refused(const struct bus_record *record, struct record_refused *ret)
{
	return read_plain(record, RECORD_REFUSED, ret, sizeof *ret);
}
