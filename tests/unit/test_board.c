/* A board shows its readers the newest posting, once, and lets none of them write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/board.h"

static struct board board;

static int setup(void **state)
{
	return board_make(&board, 64, NULL);
}

static int teardown(void **state)
{
	board_release(&board);
	board_release(&board); /* again: nothing */
	return 0;
}

static void post(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(board_post(&board, fd), 0);
	close(fd);
}

static void assert_news(uint64_t *version, const char *text)
{
	char got[64];
	size_t len;

	assert_int_equal(board_read(board.fd, version, got, sizeof got, &len), 1);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(got, text, len);
	assert_int_equal(board_read(board.fd, version, got, sizeof got, &len), 0);
}

static void a_posting_is_news_once(void **state)
{
	uint64_t version = 0;
	char got[64];
	size_t len;

	assert_int_equal(board_read(board.fd, &version, got, sizeof got, &len), 0);
	post("first");
	assert_news(&version, "first");
	post("second, longer");
	post("third");
	assert_news(&version, "third");
	post("");
	assert_news(&version, "");
}

static void what_cannot_be_read_leaves_the_old_one(void **state)
{
	uint64_t version = 0;

	post("first");
	assert_int_equal(board_post(&board, -1), -EBADF);
	assert_news(&version, "first");
}

static void more_than_fits_is_cut_off_or_refused(void **state)
{
	uint64_t version = 0;
	char text[100] = { 0 }, got[64];
	size_t len;

	memset(text, 'x', sizeof text - 1);
	post(text);
	assert_int_equal(board_read(board.fd, &version, got, 63, &len), -EINVAL);
	assert_int_equal(board_read(board.fd, &version, got, 64, &len), 1);
	assert_int_equal(len, 64);
}

static void nobody_else_writes(void **state)
{
	uint64_t version = 0;

	post("truth");
	assert_int_equal(pwrite(board.fd, "lies", 4, 16), -1);
	assert_int_equal(errno, EPERM);
	assert_ptr_equal(mmap(NULL, 64, PROT_WRITE, MAP_SHARED, board.fd, 0), MAP_FAILED);
	assert_int_equal(ftruncate(board.fd, 0), -1);
	assert_news(&version, "truth");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_posting_is_news_once),
		TEST(what_cannot_be_read_leaves_the_old_one),
		TEST(more_than_fits_is_cut_off_or_refused),
		TEST(nobody_else_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
