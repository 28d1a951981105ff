/* Histograms: into which bucket, over the living and the gone, and out of hostile words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/histogram.h"
#include "common/segment_layout.h"
#include "common/segment_writer.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct histogram_seen histogram;

static void a_time_is_in_the_first_bucket_whose_bound_is_not_less(void **state)
{
	assert_int_equal(histogram_bucket(0), 0);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		assert_int_equal(histogram_bucket(histogram_bound_us(i)), i);
		assert_int_equal(histogram_bucket(histogram_bound_us(i) + 1), i + 1);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

/* Its name, and the label that is exposed, tell the bound by which times are sorted in.
 */
static void each_bucket_is_named_after_its_bound(void **state)
{
	struct segment_about about[COUNTER_COUNT];

	segment_describe(about);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		const struct segment_about *a = &about[HISTOGRAM_handshake + i];
		double le;
		char id[40];

		snprintf(id, sizeof id, "handshake_le_%uus",
			 (unsigned)histogram_bound_us(i));
		assert_string_equal(a->id, id);
		assert_string_equal(a->metric, "handshake_seconds_bucket");
		assert_int_equal(sscanf(a->label, "le=\"%lf\"", &le), 1);
		assert_int_equal((uint64_t)(le * 1e6 + 0.5), histogram_bound_us(i));
		assert_int_equal(a->kind, COUNTER_TOTAL);
	}
	assert_string_equal(about[HISTOGRAM_handshake + HISTOGRAM_BUCKETS - 1].label,
			    "le=\"+Inf\"");
	assert_string_equal(about[HISTOGRAM_handshake + HISTOGRAM_BUCKETS].id,
			    "handshake_sum_us");
	assert_true(counter_is_of_histogram(COUNTER_handshake_sum_us));
	assert_true(counter_is_of_histogram(COUNTER_handshake_le_64us));
	assert_false(counter_is_of_histogram(COUNTER_links_active));
	assert_false(counter_is_of_histogram(COUNTER_COUNT));
}

/* A process observes three times and dies; then the supervisor folds what it left. */
static void what_a_dead_process_observed_is_kept(void **state)
{
	struct segment_shape shape = { .n_workers = 1, .group = "" };
	struct segment_reader *reader;
	struct segment *segment;
	char name[64];
	int status;
	pid_t pid;

	snprintf(name, sizeof name, "parley-test-histogram-%ld", (long)getpid());
	assert_int_equal(segment_create(name, &shape, &segment, NULL), 0);
	pid = fork();
	if (pid == 0) {
		struct segment *mine;

		if (segment_attach(segment_fd(segment), 0, 1, ROLE_WORKER, 0, &mine,
				   NULL) < 0)
			_exit(1);
		histogram_observe(segment_slot(mine, 0), HISTOGRAM_handshake, 64);
		histogram_observe(segment_slot(mine, 0), HISTOGRAM_handshake, 1000);
		histogram_observe(segment_slot(mine, 0), HISTOGRAM_handshake, 20000000);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(segment_reader_new(name, &reader), 0);
	for (int retired = 0; retired < 2; retired++) {
		segment_reader_look(reader, 1, &seen);
		assert_true(snapshot_histogram(&seen, HISTOGRAM_handshake, &histogram));
		assert_int_equal(histogram.upto[0], 1);
		assert_int_equal(histogram.upto[3], 1);
		assert_int_equal(histogram.upto[4], 2);
		assert_int_equal(histogram.upto[HISTOGRAM_BUCKETS - 2], 2);
		assert_int_equal(histogram_count(&histogram), 3);
		assert_int_equal(histogram.sum_us, 20001064);
		segment_retire(segment, 0);
	}
	segment_reader_free(reader);
	segment_close(segment, true);
}

/* A gateway of another version, with other bounds or without this histogram. */
static void one_that_is_not_published_whole_is_not_there(void **state)
{
	fake_gateway(&seen);
	assert_true(snapshot_histogram(&seen, HISTOGRAM_loop_lag, &histogram));
	seen.has[HISTOGRAM_loop_lag + 7] = false;
	assert_false(snapshot_histogram(&seen, HISTOGRAM_loop_lag, &histogram));
	assert_true(snapshot_histogram(&seen, HISTOGRAM_handshake, &histogram));
}

/* Anything, and often as much as there can be. */
static uint64_t hostile_word(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % 3 ? *seed : UINT64_MAX;
}

static void hostile_words_never_make_it_go_down(void **state)
{
	uint64_t seed = 1;

	fake_gateway(&seen);
	for (int round = 0; round < 1000; round++) {
		for (unsigned i = 0; i < HISTOGRAM_WORDS; i++) {
			enum counter id = (enum counter)(HISTOGRAM_handshake + i);

			seen.retired[id] = hostile_word(&seed);
			seen.slots[0].counters[id] = hostile_word(&seed);
		}
		assert_true(snapshot_histogram(&seen, HISTOGRAM_handshake, &histogram));
		for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++)
			assert_true(histogram.upto[i] >= histogram.upto[i - 1]);
		for (unsigned mille = 0; mille <= 1000; mille++)
			histogram_quantile_us(&histogram, mille);
	}
}

static void a_quantile_is_the_bound_of_its_bucket(void **state)
{
	fake_gateway(&seen);
	assert_true(snapshot_histogram(&seen, HISTOGRAM_handshake, &histogram));
	assert_int_equal(histogram_quantile_us(&histogram, 500), 0);
	seen.retired[COUNTER_handshake_le_1024us] = 99;
	seen.retired[COUNTER_handshake_le_65536us] = 1;
	assert_true(snapshot_histogram(&seen, HISTOGRAM_handshake, &histogram));
	assert_int_equal(histogram_quantile_us(&histogram, 0), 1024);
	assert_int_equal(histogram_quantile_us(&histogram, 990), 1024);
	assert_int_equal(histogram_quantile_us(&histogram, 991), 65536);
	assert_int_equal(histogram_quantile_us(&histogram, 1000), 65536);
	seen.retired[COUNTER_handshake_beyond] = 100;
	assert_true(snapshot_histogram(&seen, HISTOGRAM_handshake, &histogram));
	assert_true(histogram_quantile_us(&histogram, 501) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_in_the_first_bucket_whose_bound_is_not_less),
		cmocka_unit_test(each_bucket_is_named_after_its_bound),
		cmocka_unit_test(what_a_dead_process_observed_is_kept),
		cmocka_unit_test(one_that_is_not_published_whole_is_not_there),
		cmocka_unit_test(hostile_words_never_make_it_go_down),
		cmocka_unit_test(a_quantile_is_the_bound_of_its_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
