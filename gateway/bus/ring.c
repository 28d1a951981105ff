#include "gateway/bus/ring.h"

#include <errno.h>
#include <string.h>

struct record_head {
	uint32_t len, type;
};
_Static_assert(sizeof(struct record_head) == RING_WORD, "one word");

static _Atomic uint64_t *word_at(const struct ring *ring, uint64_t at)
{
	return &ring->words[(at & (ring->size - 1)) / RING_WORD];
}

static uint64_t whole_words(uint64_t len)
{
	return (len + RING_WORD - 1) & ~(uint64_t)(RING_WORD - 1);
}

/* ---- writing ---- */

/* Gathers bytes until there is a handful of words to store. */
struct pen {
	const struct ring *ring;
	uint64_t at; /* where words[0] goes */
	size_t len;  /* bytes gathered */
	uint64_t words[64];
};

static void pen_flush(struct pen *pen)
{
	size_t padded = (size_t)whole_words(pen->len);

	memset((uint8_t *)pen->words + pen->len, 0, padded - pen->len);
	for (size_t i = 0; i < padded / RING_WORD; i++)
		atomic_store_explicit(word_at(pen->ring, pen->at + i * RING_WORD),
				      pen->words[i], memory_order_relaxed);
	pen->at += padded;
	pen->len = 0;
}

static void pen_put(struct pen *pen, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		size_t n = sizeof pen->words - pen->len;

		if (n > len)
			n = len;
		memcpy((uint8_t *)pen->words + pen->len, from, n);
		pen->len += n;
		from += n;
		len -= n;
		if (pen->len == sizeof pen->words)
			pen_flush(pen);
	}
}

/* A dead predecessor may have reserved more than `end`, by at most one record; what is
 * further off is no writer's doing. */
static void reserve(const struct ring *ring, uint64_t end)
{
	uint64_t reserved = atomic_load_explicit(&ring->control->reserved,
						 memory_order_relaxed);

	if (reserved - end > ring->size / 4)
		atomic_store_explicit(&ring->control->reserved, end,
				      memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* before the words */
}

int ring_write(const struct ring *ring, uint32_t type, const struct iovec *parts,
	       unsigned n_parts)
{
	struct record_head head = { .type = type };
	struct pen pen = { .ring = ring };
	uint64_t end;
	size_t len = 0;

	for (unsigned i = 0; i < n_parts; i++)
		len += parts[i].iov_len;
	if (len > ring_record_max(ring->size))
		return -EMSGSIZE;
	head.len = (uint32_t)len;
	/* Only this process writes it: its own view is the newest. */
	pen.at = whole_words(
		atomic_load_explicit(&ring->control->head, memory_order_relaxed));
	end = pen.at + sizeof head + whole_words(len);
	reserve(ring, end);
	pen_put(&pen, &head, sizeof head);
	for (unsigned i = 0; i < n_parts; i++)
		pen_put(&pen, parts[i].iov_base, parts[i].iov_len);
	pen_flush(&pen);
	atomic_store_explicit(&ring->control->head, end, memory_order_release);
	return 0;
}

/* ---- reading ---- */

static void copy_out(const struct ring *ring, uint64_t at, uint64_t *words, size_t len)
{
	for (size_t i = 0; i < len / RING_WORD; i++)
		words[i] = atomic_load_explicit(word_at(ring, at + i * RING_WORD),
						memory_order_relaxed);
}

/* Whether what was copied from `at` may have been overwritten meanwhile. */
static bool overtaken(const struct ring *ring, uint64_t at)
{
	atomic_thread_fence(memory_order_acquire); /* after the words */
	return atomic_load_explicit(&ring->control->reserved, memory_order_relaxed) - at >
	       ring->size;
}

/* One record at `at`, of which `span` bytes up to the head are said to be whole. */
static int read_record(const struct ring *ring, uint64_t at, uint64_t span,
		       uint64_t *scratch, struct record_head *ret_head)
{
	struct record_head head;
	uint64_t word;

	if (span > ring->size)
		return -EOVERFLOW;
	if (at % RING_WORD || span < sizeof head)
		return -EPROTO;
	copy_out(ring, at, &word, sizeof word);
	if (overtaken(ring, at))
		return -EOVERFLOW;
	memcpy(&head, &word, sizeof head);
	if (head.len > ring_record_max(ring->size) ||
	    sizeof head + whole_words(head.len) > span)
		return -EPROTO;
	copy_out(ring, at + sizeof head, scratch, (size_t)whole_words(head.len));
	if (overtaken(ring, at))
		return -EOVERFLOW;
	*ret_head = head;
	return 1;
}

int ring_read(const struct ring *ring, uint64_t *at, uint64_t *scratch,
	      struct bus_record *ret_record)
{
	uint64_t span = ring_head(ring) - *at;
	struct record_head head;
	int r;

	if (span == 0)
		return 0;
	r = read_record(ring, *at, span, scratch, &head);
	if (r < 0) {
		*at = ring_head(ring);
		return r;
	}
	*at += sizeof head + whole_words(head.len);
	*ret_record = (struct bus_record){ head.type, head.len,
					   (const uint8_t *)scratch };
	return r;
}
