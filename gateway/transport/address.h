/*
 * address - where clients come from: how many links each address has here, and how fast
 * it shakes hands.
 *
 * An address is kept while it has links, and then until its handshakes are forgotten.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "gateway/bucket.h"

struct address {
	uint8_t bytes[16]; /* network order, IPv4 mapped into IPv6 */
	unsigned n_links;
	struct bucket handshakes;
	struct address *prev, *next; /* of those without links, in that order */
	UT_hash_handle hh;
};

/* Zeroed is ready. */
struct addresses {
	struct address *by_bytes, *idle;
};

/* One more link; NULL when out of memory. One less. */
struct address *address_get(struct addresses *addresses, const uint8_t bytes[16]);
void address_put(struct addresses *addresses, struct address *address);

/* Whether it may shake hands: so many per second, some at once. */
bool address_may(struct address *address, uint64_t now_ms, uint64_t per_s);

/* Forgets addresses without links. */
void addresses_tick(struct addresses *addresses, uint64_t now_ms);

/* None has links any more. */
void addresses_release(struct addresses *addresses);

#endif
