/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/transport/address.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"

enum {
	BURST_MS = 1000
};

static struct address *add(struct addresses *addresses, const uint8_t bytes[16])
{
	struct address *address = calloc(1, sizeof *address);

	if (!address)
		return NULL;
	memcpy(address->bytes, bytes, sizeof address->bytes);
	HASH_ADD(hh, addresses->by_bytes, bytes, sizeof address->bytes, address);
	if (!address->hh.tbl) {
		free(address);
		return NULL;
	}
	return address;
}

static void forget(struct addresses *addresses, struct address *address)
{
	CHECK(addresses->by_bytes);
	DL_DELETE(addresses->idle, address);
	HASH_DEL(addresses->by_bytes, address);
	free(address);
}

struct address *address_get(struct addresses *addresses, const uint8_t bytes[16])
{
	struct address *address;

	HASH_FIND(hh, addresses->by_bytes, bytes, sizeof address->bytes, address);
	if (!address)
		address = add(addresses, bytes);
	else if (!address->n_links)
		DL_DELETE(addresses->idle, address);
	if (address)
		address->n_links++;
	return address;
}

void address_put(struct addresses *addresses, struct address *address)
{
	CHECK(address->n_links);
	if (--address->n_links == 0)
		DL_APPEND(addresses->idle, address);
}

bool address_may(struct address *address, uint64_t now_ms, uint64_t per_s)
{
	return bucket_take(&address->handshakes, 1000 * now_ms, 1, per_s, BURST_MS) == 0;
}

/* Their buckets are full in about the order in which they got idle: one that is not holds
 * up those behind it, for a burst at most. */
void addresses_tick(struct addresses *addresses, uint64_t now_ms)
{
	while (addresses->idle && addresses->idle->handshakes.full_at_us <= 1000 * now_ms)
		forget(addresses, addresses->idle);
}

void addresses_release(struct addresses *addresses)
{
	while (addresses->idle)
		forget(addresses, addresses->idle);
	CHECK(!addresses->by_bytes);
}
