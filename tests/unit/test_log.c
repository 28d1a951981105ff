/* The log: one line per event, never blocking, never more than a site may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

/* stderr is one end, the test reads at the other; the real one is kept aside. */
struct captured {
	int read_fd, real_stderr;
	char text[2 * 65536];
};

static void capture(struct captured *captured, int read_fd, int write_fd)
{
	captured->read_fd = read_fd;
	captured->real_stderr = dup(STDERR_FILENO);
	assert_true(captured->real_stderr >= 0);
	assert_return_code(fcntl(read_fd, F_SETFL, O_NONBLOCK), errno);
	assert_return_code(dup2(write_fd, STDERR_FILENO), errno);
	close(write_fd);
}

static void capture_pipe(struct captured *captured)
{
	int fds[2];

	assert_return_code(pipe(fds), errno);
	capture(captured, fds[0], fds[1]);
	log_open(LOG_info, "worker 2");
}

/* Everything written since the last call. */
static const char *heard(struct captured *captured)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(captured->read_fd, captured->text + len,
			 sizeof captured->text - 1 - len)) > 0)
		len += (size_t)n;
	captured->text[len] = '\0';
	return captured->text;
}

static void release(struct captured *captured)
{
	assert_return_code(dup2(captured->real_stderr, STDERR_FILENO), errno);
	close(captured->real_stderr);
	close(captured->read_fd);
	log_open(LOG_info, "test");
}

static void fill(int size)
{
	char junk[4096];

	memset(junk, 'j', sizeof junk);
	assert_return_code(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), errno);
	while (write(STDERR_FILENO, junk, (size_t)size) > 0)
		;
	assert_return_code(fcntl(STDERR_FILENO, F_SETFL, 0), errno);
}

static void a_line_has_time_level_process_and_event(void **state)
{
	struct captured captured;
	unsigned year;
	int end = 0;

	capture_pipe(&captured);
	LOG(warning, "client closed id=%d", 7);
	heard(&captured);
	release(&captured);
	assert_int_equal(sscanf(captured.text, "%4u-%*2u-%*2uT%*2u:%*2u:%*2u.%*3uZ %n",
				&year, &end),
			 1);
	assert_string_equal(captured.text + end,
			    "warning worker 2: client closed id=7\n");
}

static void the_journal_gets_priorities_instead_of_times(void **state)
{
	struct captured captured;
	struct stat st;
	char stream[64];
	int fds[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), errno);
	assert_return_code(fstat(fds[1], &st), errno);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	capture(&captured, fds[0], fds[1]);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(LOG_info, "gateway");
	LOG(notice, "draining");
	setenv("JOURNAL_STREAM", "1:2", 1); /* inherited, but stderr is another one */
	log_open(LOG_info, "gateway");
	LOG(notice, "drained");
	unsetenv("JOURNAL_STREAM");
	heard(&captured);
	release(&captured);
	assert_memory_equal(captured.text, "<5>gateway: draining\n2", 22);
	assert_non_null(strstr(captured.text, "Z notice gateway: drained\n"));
}

static void lines_below_the_level_are_not_said(void **state)
{
	struct captured captured;

	capture_pipe(&captured);
	LOG(debug, "detail");
	heard(&captured);
	release(&captured);
	assert_string_equal(captured.text, "");
}

static void a_site_says_ten_lines_a_second_and_counts_the_rest(void **state)
{
	struct captured captured;
	struct log_site site = { .window_ns = clock_mono_ns() + 3600 * 1000 * MS_NS };
	unsigned n_lines = 0;

	capture_pipe(&captured);
	for (int i = 0; i < 13; i++)
		log_line(&site, LOG_info, "again");
	for (const char *c = heard(&captured); *c; c++)
		n_lines += *c == '\n';
	site.window_ns = 0; /* that second is over */
	log_line(&site, LOG_info, "later");
	log_line(&site, LOG_info, "and later");
	heard(&captured);
	release(&captured);
	assert_int_equal(n_lines, 10);
	assert_non_null(strstr(captured.text, ": later suppressed=3\n"));
	assert_non_null(strstr(captured.text, ": and later\n"));
}

static void check_full_stderr_drops(struct captured *captured, int fill_size)
{
	uint64_t before = log_dropped();

	fill(fill_size);
	for (int i = 0; i < 3; i++)
		LOG(info, "lost");
	assert_int_equal(log_dropped() - before, 3);
	heard(captured);
	LOG(info, "room again");
	LOG(info, "and again");
	heard(captured);
	assert_non_null(strstr(captured->text, ": room again dropped=3\n"));
	assert_non_null(strstr(captured->text, ": and again\n"));
}

static void a_full_pipe_drops_lines_and_does_not_block(void **state)
{
	struct captured captured;

	capture_pipe(&captured);
	check_full_stderr_drops(&captured, 4096);
	release(&captured);
}

static void a_full_socket_drops_lines_and_does_not_block(void **state)
{
	struct captured captured;
	int fds[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), errno);
	capture(&captured, fds[0], fds[1]);
	log_open(LOG_info, "worker 2");
	fill(1);
	uint64_t before = log_dropped();
	LOG(info, "lost");
	assert_int_equal(log_dropped() - before, 1);
	release(&captured);
}

static void a_reader_that_leaves_does_not_end_us(void **state)
{
	struct captured captured;
	uint64_t before = log_dropped();
	int fds[2];

	capture_pipe(&captured);
	close(captured.read_fd);
	LOG(info, "to nobody");
	assert_return_code(pipe(fds), errno);
	captured.read_fd = fds[0];
	close(fds[1]);
	release(&captured);
	assert_int_equal(log_dropped() - before, 1);
}

static void one_event_is_one_line_and_fits_a_pipe(void **state)
{
	struct captured captured;
	char text[9000];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	capture_pipe(&captured);
	LOG(info, "room=%s", "a\nb\033[2J");
	heard(&captured);
	assert_non_null(strstr(captured.text, "room=a?b?[2J"));
	LOG(info, "room=%s", text);
	heard(&captured);
	release(&captured);
	size_t len = strlen(captured.text);
	assert_in_range(len, 1000, 4096);
	assert_ptr_equal(strchr(captured.text, '\n'), captured.text + len - 1);
}

static void the_level_names_are_the_settings_choices(void **state)
{
	enum log_level level = LOG_error;

	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_debug);
	assert_int_equal(log_level_parse("error", &level), 0);
	assert_int_equal(level, LOG_error);
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LOG_error);
}

static void a_value_from_outside_cannot_forge_fields(void **state)
{
	static const struct {
		const char *text, *quoted;
	} rows[] = {
		{ "lobby", "lobby" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"x\\\"", "\"say \\\"x\\\\\\\"\"" },
		{ "a\nb\r\033", "\"a\\nb\\x0d\\x1b\"" },
		{ "\xc3\xa9", "\"\\xc3\\xa9\"" },
		{ "\x7f", "\"\\x7f\"" },
	};
	char out[64];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(log_quote(rows[i].text, out, sizeof out),
				    rows[i].quoted);
}

static void a_long_value_is_cut_within_its_quotes(void **state)
{
	char out[16];

	assert_string_equal(log_quote("123456789012345", out, sizeof out),
			    "123456789012345");
	assert_string_equal(log_quote("1234567890123456", out, sizeof out),
			    "\"1234567890...\"");
	for (unsigned size = 8; size <= sizeof out; size++) {
		memset(out, 'z', sizeof out);
		log_quote("\001\001\001\001\001\001\001\001", out, size);
		assert_true(strlen(out) < size);
		assert_string_equal(out + strlen(out) - 4, "...\"");
	}
}

static void logging_keeps_errno(void **state)
{
	struct captured captured;

	capture_pipe(&captured);
	fill(4096);
	errno = EBUSY;
	LOG(info, "lost");
	assert_int_equal(errno, EBUSY);
	release(&captured);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_process_and_event),
		cmocka_unit_test(the_journal_gets_priorities_instead_of_times),
		cmocka_unit_test(lines_below_the_level_are_not_said),
		cmocka_unit_test(a_site_says_ten_lines_a_second_and_counts_the_rest),
		cmocka_unit_test(a_full_pipe_drops_lines_and_does_not_block),
		cmocka_unit_test(a_full_socket_drops_lines_and_does_not_block),
		cmocka_unit_test(a_reader_that_leaves_does_not_end_us),
		cmocka_unit_test(one_event_is_one_line_and_fits_a_pipe),
		cmocka_unit_test(the_level_names_are_the_settings_choices),
		cmocka_unit_test(a_value_from_outside_cannot_forge_fields),
		cmocka_unit_test(a_long_value_is_cut_within_its_quotes),
		cmocka_unit_test(logging_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
