/* test_queue - what waits for its commit waits in order, bounded, and is kept whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/sequencer/queue.h"

enum {
	N_MAX = 600,
	BATCH_BYTES = 64 * STORE_BATCH_MAX,
	BYTES_MAX = 4 * BATCH_BYTES
};

static struct queue queue;

static int set_up(void **state)
{
	queue_init(&queue, N_MAX, BATCH_BYTES, BYTES_MAX);
	return 0;
}

static int tear_down(void **state)
{
	queue_release(&queue);
	return 0;
}

/* Adds a message whose body is the ticket in figures, from memory that changes after. */
static int add(uint64_t ticket, uint64_t since_ms)
{
	struct send_owner owner = { 1, 2, ticket, since_ms };
	char body[32];
	struct message message = { .room = { "lobby", 5 },
				   .id = { "c1", 2 },
				   .from = { "ann", 3 },
				   .read_us = 7000 + ticket };
	int r;

	message.body.at = body;
	message.body.len = (uint32_t)snprintf(body, sizeof body, "%llu",
					      (unsigned long long)ticket);
	r = queue_add(&queue, &owner, &message);
	memset(body, 'x', sizeof body);
	return r;
}

static void add_many(uint64_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(add(first + i, first + i), 0);
}

/* The batch that comes next is of tickets first to first + n - 1. */
static struct batch *expect_batch(uint64_t first, unsigned n)
{
	struct batch *batch = queue_take(&queue);

	assert_non_null(batch);
	assert_int_equal(batch->n, n);
	for (unsigned i = 0; i < n; i++) {
		const struct message *message = &batch->sends[i].message;
		char body[32];
		int len = snprintf(body, sizeof body, "%llu",
				   (unsigned long long)first + i);

		assert_int_equal(batch->owners[i].ticket, first + i);
		assert_int_equal(message->read_us, 7000 + first + i);
		assert_int_equal(message->room.len, 5);
		assert_memory_equal(message->room.at, "lobby", 5);
		assert_int_equal(message->body.len, len);
		assert_memory_equal(message->body.at, body, (size_t)len);
		assert_false(batch->sends[i].repeat);
	}
	return batch;
}

static void expect_done(uint64_t first, unsigned n)
{
	(void)expect_batch(first, n);
	queue_done(&queue);
}

static void what_waits_is_copied_and_comes_in_order(void **state)
{
	add_many(1, 300);
	expect_done(1, STORE_BATCH_MAX);
	expect_done(1 + STORE_BATCH_MAX, 300 - STORE_BATCH_MAX);
	assert_null(queue_take(&queue));
	assert_int_equal(queue.n, 0);
	assert_int_equal(queue.bytes, 0);
}

static void what_comes_while_a_batch_is_out_is_the_next_one(void **state)
{
	add_many(1, 2);
	(void)expect_batch(1, 2);
	add_many(3, 5);
	assert_int_equal(queue.n, 7);
	queue_done(&queue);
	assert_int_equal(queue.n, 5);
	expect_done(3, 5);
}

static void a_batch_that_is_put_back_comes_again_first(void **state)
{
	add_many(1, 2);
	(void)expect_batch(1, 2);
	add_many(3, STORE_BATCH_MAX);
	queue_put_back(&queue);
	assert_true(expect_batch(1, 2)->tried);
	queue_put_back(&queue);
	expect_done(1, 2);
	assert_false(expect_batch(3, STORE_BATCH_MAX)->tried);
	queue_done(&queue);
}

static void memory_is_used_again(void **state)
{
	struct batch *first;

	add_many(1, 1);
	first = expect_batch(1, 1);
	queue_done(&queue);
	add_many(2, 1);
	assert_ptr_equal(expect_batch(2, 1), first);
	queue_done(&queue);
}

static void more_than_may_wait_is_refused(void **state)
{
	add_many(1, N_MAX);
	assert_int_equal(add(N_MAX + 1, 0), -ENOBUFS);
	(void)expect_batch(1, STORE_BATCH_MAX);
	assert_int_equal(add(N_MAX + 1, 0), -ENOBUFS); /* what is out still counts */
	queue_done(&queue);
	assert_int_equal(add(N_MAX + 1, 0), 0);
}

static void texts_are_bounded_by_batch_and_in_all(void **state)
{
	static char body[BATCH_BYTES + 1];
	struct send_owner owner = { 1, 2, 3, 4 };
	struct message message = { .room = { "r", 1 },
				   .body = { body, BATCH_BYTES - 1 } };
	struct batch *batch;

	for (unsigned i = 0; i < BYTES_MAX / BATCH_BYTES; i++)
		assert_int_equal(queue_add(&queue, &owner, &message), 0);
	assert_int_equal(add(1, 0), -ENOBUFS);
	batch = queue_take(&queue);
	assert_int_equal(batch->n, 1); /* two are too long for one batch */
	queue_done(&queue);
	assert_int_equal(add(1, 0), 0);

	message.body.len = BATCH_BYTES;
	assert_int_equal(queue_add(&queue, &owner, &message), -EMSGSIZE);
}

/* ---- too old ---- */

static uint64_t next_expired;

static void on_expired(void *app, const struct send_owner *owner)
{
	assert_ptr_equal(app, &queue);
	assert_int_equal(owner->ticket, next_expired++);
}

static void the_oldest_expire_and_the_others_stay(void **state)
{
	add_many(1, 300);
	next_expired = 1;
	assert_false(queue_expire(&queue, 11, on_expired, &queue));
	assert_int_equal(next_expired, 11);
	assert_int_equal(queue.n, 290);
	expect_done(11, STORE_BATCH_MAX - 10);
	add_many(301, 1);
	next_expired = STORE_BATCH_MAX + 1;
	assert_false(queue_expire(&queue, 1000, on_expired, &queue));
	assert_int_equal(queue.n, 0);
	assert_int_equal(queue.bytes, 0);
	assert_null(queue_take(&queue));
}

static void what_was_tried_tells_so_when_it_expires(void **state)
{
	add_many(1, 2);
	(void)expect_batch(1, 2);
	queue_put_back(&queue);
	next_expired = 1;
	assert_false(queue_expire(&queue, 1, on_expired, &queue)); /* none is so old */
	assert_true(queue_expire(&queue, 2, on_expired, &queue));
	assert_int_equal(queue.n, 1);
	expect_done(2, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_waits_is_copied_and_comes_in_order),
		TEST(what_comes_while_a_batch_is_out_is_the_next_one),
		TEST(a_batch_that_is_put_back_comes_again_first),
		TEST(memory_is_used_again),
		TEST(more_than_may_wait_is_refused),
		TEST(texts_are_bounded_by_batch_and_in_all),
		TEST(the_oldest_expire_and_the_others_stay),
		TEST(what_was_tried_tells_so_when_it_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
