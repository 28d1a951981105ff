#include "gateway/api/answers.h"

#include "gateway/wire/codec.h"
#include "gateway/wire/out.h"

#define END "}\n"

int answer_error(char *out, size_t size, int status, const char *why)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"status\":");
	out_number(&o, (uint64_t)status);
	out_text(&o, ",\"error\":");
	out_c_string(&o, why);
	return out_end(&o, END);
}

static void begin_room(struct out *out, struct text room)
{
	out_text(out, "{\"room\":");
	out_string(out, room);
}

int answer_sent(char *out, size_t size, struct text room, struct text id, uint64_t seq,
		int64_t at_ms)
{
	struct out o = out_begin(out, size);

	begin_room(&o, room);
	out_text(&o, ",\"seq\":");
	out_number(&o, seq);
	out_text(&o, ",\"id\":");
	out_string(&o, id);
	out_text(&o, ",\"at\":");
	out_signed(&o, at_ms);
	return out_end(&o, END);
}

int answer_drain(char *out, size_t size)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"status\":202,\"draining\":true");
	return out_end(&o, END);
}

size_t answer_history_size(const struct store_page *page)
{
	size_t size = ANSWER_SIZE;

	for (uint32_t i = 0; i < page->n; i++)
		size += WIRE_ENVELOPE_MAX + page->messages[i].body.len;
	return size;
}

int answer_history(char *out, size_t size, struct text room,
		   const struct store_page *page)
{
	struct out o = out_begin(out, size);

	begin_room(&o, room);
	out_text(&o, ",\"head\":");
	out_number(&o, page->head);
	out_text(&o, ",\"first\":");
	out_number(&o, page->first);
	out_text(&o, ",\"messages\":[");
	for (uint32_t i = 0; i < page->n; i++) {
		out_text(&o, i ? ",{" : "{");
		out_message(&o, &page->messages[i]);
		out_text(&o, "}");
	}
	out_text(&o, page->more ? "],\"more\":true" : "],\"more\":false");
	return out_end(&o, END);
}

size_t answer_members_size(const struct chat_census *census)
{
	return ANSWER_SIZE + census->n * (size_t)WIRE_NAME_MAX;
}

int answer_members(char *out, size_t size, struct text room,
		   const struct chat_census *census)
{
	struct out o = out_begin(out, size);

	begin_room(&o, room);
	out_names(&o, ",\"members\":[", census->users, census->n);
	out_text(&o, ",\"total\":");
	out_number(&o, census->total);
	out_text(&o, census->complete ? ",\"complete\":true" : ",\"complete\":false");
	return out_end(&o, END);
}
