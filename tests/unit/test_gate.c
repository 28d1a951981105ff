/* A storm of handshakes is let in at a pace, and spread over the time that this takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/transport/address.h"
#include "gateway/transport/gate.h"

/* How many of `n` who come at this time are let in. */
static unsigned let_in(struct gate *gate, uint64_t now_ms, unsigned n)
{
	unsigned in = 0;

	for (unsigned i = 0; i < n; i++)
		in += gate_pass(gate, now_ms, i) == 0;
	return in;
}

static void a_second_s_worth_at_once_and_then_the_rate(void **state)
{
	struct gate gate = { .per_s = 100 };
	unsigned in = 0;

	assert_int_equal(let_in(&gate, 5000, 1000), 100);
	assert_int_equal(let_in(&gate, 5005, 1000), 0);
	for (uint64_t ms = 5010; ms <= 15000; ms += 10)
		in += let_in(&gate, ms, 50);
	assert_int_equal(in, 1000);
}

static void without_a_rate_everybody_is_let_in(void **state)
{
	struct gate gate = { 0 };

	assert_int_equal(let_in(&gate, 1, 10000), 10000);
}

static void the_longer_the_queue_the_wider_it_is_spread(void **state)
{
	struct gate gate = { .per_s = 100 };
	unsigned seen[GATE_RETRY_MAX_S + 2] = { 0 };

	assert_int_equal(let_in(&gate, 1000, 100), 100);
	assert_int_equal(gate_pass(&gate, 1000, 12345), 1); /* few wait: soon */
	(void)let_in(&gate, 1000, 1000);
	for (unsigned i = 0; i < 100; i++)
		seen[gate_pass(&gate, 1000, i)]++;
	for (unsigned s = 1; s <= 10; s++)
		assert_in_range(seen[s], 8, 10);
	(void)let_in(&gate, 1000, 100000);
	for (unsigned i = 0; i < 1000; i++)
		assert_in_range(gate_pass(&gate, 1000, i), 1, GATE_RETRY_MAX_S);
}

static void who_came_in_meanwhile_waits_no_more(void **state)
{
	struct gate gate = { .per_s = 100 };

	(void)let_in(&gate, 1000, 100 + 1000);
	assert_int_equal(gate.waiting, 1000);
	for (uint64_t ms = 1010; ms <= 11000; ms += 10)
		(void)gate_pass(&gate, ms, 0);
	(void)let_in(&gate, 11001, 2);
	assert_in_range(gate.waiting, 0, 5);
}

/* Fifty thousand who obey what they are told: how long until the last is in. */
static void a_storm_that_obeys_is_in_in_the_time_that_it_takes(void **state)
{
	enum {
		CLIENTS = 50000,
		RATE = 2000,
		LIMIT_S = 60
	};
	static uint8_t at_s[CLIENTS]; /* when each comes */
	struct gate gate = { .per_s = RATE };
	unsigned in = 0, s, most = 0;

	for (s = 1; in < CLIENTS && s < LIMIT_S; s++) {
		unsigned came = 0;

		for (unsigned i = 0; i < CLIENTS; i++) {
			unsigned wait;

			if (at_s[i] >= s)
				continue;
			came++;
			wait = gate_pass(&gate, 1000 * s + i * 1000 / CLIENTS,
					 i * 2654435761u >> 7);
			in += wait == 0;
			at_s[i] = (uint8_t)(wait ? s + wait - 1 : UINT8_MAX);
		}
		if (s > 1 && came > most)
			most = came;
	}
	assert_int_equal(in, CLIENTS);
	assert_in_range(s, CLIENTS / RATE, 2 * CLIENTS / RATE);
	assert_true(most < 4 * RATE); /* no second storm */
}

/* ---- addresses ------------------------------------------------------------------ */

static void an_address_is_limited_by_itself_and_over_its_links(void **state)
{
	const uint8_t ann[16] = { 1 }, bob[16] = { 2 };
	struct addresses addresses = { 0 };
	struct address *a = address_get(&addresses, ann);
	struct address *b = address_get(&addresses, bob);

	for (unsigned i = 0; i < 10; i++)
		assert_true(address_may(a, 1000, 10));
	assert_false(address_may(a, 1000, 10));
	assert_true(address_may(b, 1000, 10));
	assert_ptr_equal(address_get(&addresses, ann), a);
	assert_int_equal(a->n_links, 2);
	address_put(&addresses, a);
	address_put(&addresses, a);
	/* Who goes and comes again is known, until a second has passed. */
	addresses_tick(&addresses, 1500);
	assert_ptr_equal(address_get(&addresses, ann), a);
	assert_false(address_may(a, 1000, 10));
	address_put(&addresses, a);
	addresses_tick(&addresses, 2000);
	assert_null(addresses.idle);
	address_put(&addresses, b);
	addresses_release(&addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_s_worth_at_once_and_then_the_rate),
		cmocka_unit_test(without_a_rate_everybody_is_let_in),
		cmocka_unit_test(the_longer_the_queue_the_wider_it_is_spread),
		cmocka_unit_test(who_came_in_meanwhile_waits_no_more),
		cmocka_unit_test(a_storm_that_obeys_is_in_in_the_time_that_it_takes),
		cmocka_unit_test(an_address_is_limited_by_itself_and_over_its_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
