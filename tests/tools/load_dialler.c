/* load_dialler - who dials those that are gone, again and again. */
#include "tests/tools/load.h"

void load_dial_gone(struct load *load, struct load_dialler *d)
{
	uint64_t now = load_now_ms();

	if (d->n_open + d->n_dialling == d->n_links)
		return;
	if (d->next == d->n_links && now >= d->round_at_ms) {
		d->next = 0;
		d->round_at_ms = now + LOAD_RETRY_MS;
	}
	for (; d->next < d->n_links && d->n_dialling < d->at_once; d->next++) {
		struct load_link *link = (void *)((char *)d->links +
						  d->next * d->link_size);

		if (link->state == LOAD_GONE && !load_dial(load, link, d->next))
			d->n_dialling++;
	}
}
