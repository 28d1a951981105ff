#include <errno.h>

#include "gateway/transport/link.h"
#include "gateway/wire/utf8.h"

static void breach(struct link *link, struct frame_in *in, uint16_t code,
		   const char *reason)
{
	frame_reader_release(&link->reader);
	*in = (struct frame_in){ .event = FRAME_BREACH, .code = code, .reason = reason };
}

void link_inflate(struct link *link, struct frame_in *in)
{
	struct transport *t = link->transport;
	int r = inflater_run(t->inflater, in->data, in->len, &in->data, &in->len);

	in->compressed = false;
	if (r == -EMSGSIZE)
		breach(link, in, CLOSE_TOO_BIG, "message too big");
	else if (r == -ENOMEM)
		breach(link, in, CLOSE_INTERNAL, "out of memory");
	else if (r < 0)
		breach(link, in, CLOSE_BAD_DATA, "message cannot be inflated");
	else if (in->text && !utf8_valid(in->data, in->len))
		breach(link, in, CLOSE_BAD_DATA, "text is not UTF-8");
	else
		counter_add(t->slot, COUNTER_inflated, 1);
}
