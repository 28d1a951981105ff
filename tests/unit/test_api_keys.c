/* Keys of backends: what a file may hold, and who finds his name by his key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/auth/api_keys.h"

#define KEY_A "0123456789abcdef0123456789abcdef"
#define KEY_B "fedcba9876543210fedcba9876543210+/="

static struct text text_of(const char *text)
{
	return (struct text){ text, (uint32_t)strlen(text) };
}

static struct api_keys *parsed(const char *text)
{
	struct api_keys *keys = NULL;

	assert_int_equal(api_keys_parse(text, strlen(text), &keys, NULL), 0);
	return keys;
}

/* The reason why the text is none. */
static const char *refusal(const char *text)
{
	static struct why why;
	struct api_keys *keys;

	assert_int_equal(api_keys_parse(text, strlen(text), &keys, &why), -EINVAL);
	return why.text;
}

static void a_key_finds_its_name(void **state)
{
	struct api_keys *keys = parsed("# ours\n\nshop:" KEY_A "\nbilling:" KEY_B);

	(void)state;
	assert_string_equal(api_keys_find(keys, text_of(KEY_A)), "shop");
	assert_string_equal(api_keys_find(keys, text_of(KEY_B)), "billing");
	api_keys_free(keys);
}

static void whatever_else_is_nobodys(void **state)
{
	struct api_keys *keys = parsed("shop:" KEY_A "\n");
	static const char *const others[] = { "",           "shop",    KEY_B,
					      KEY_A " ",    KEY_A "0", "shop:" KEY_A,
					      &KEY_A "x"[1] };

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_null(api_keys_find(keys, text_of(others[i])));
	api_keys_free(keys);
}

static void a_backend_may_have_two_keys_while_they_are_rotated(void **state)
{
	struct api_keys *keys = parsed("shop:" KEY_A "\nshop:" KEY_B "\n");

	(void)state;
	assert_string_equal(api_keys_find(keys, text_of(KEY_A)), "shop");
	assert_string_equal(api_keys_find(keys, text_of(KEY_B)), "shop");
	api_keys_free(keys);
}

static void a_file_with_a_line_that_is_none_is_refused_whole(void **state)
{
	char many[API_KEYS_MAX * 48 + 96] = "";

	(void)state;
	assert_non_null(strstr(refusal(""), "no line"));
	assert_non_null(strstr(refusal("# only this\n"), "no line"));
	assert_non_null(strstr(refusal("shop:" KEY_A "\n" KEY_B "\n"), "line 2"));
	assert_non_null(strstr(refusal(":" KEY_A "\n"), "line 1"));
	assert_non_null(strstr(refusal("my shop:" KEY_A "\n"), "line 1"));
	assert_non_null(strstr(refusal("shop:short\n"), "5 characters"));
	assert_non_null(strstr(refusal("shop:" KEY_A "\r\n"), "graphic"));
	assert_non_null(strstr(refusal("shop: " KEY_A "\n"), "graphic"));
	assert_non_null(strstr(refusal("a:" KEY_A "\nb:" KEY_A "\n"), "before"));
	for (int i = 0; i <= API_KEYS_MAX; i++)
		sprintf(many + strlen(many), "a:%032d\n", i);
	assert_non_null(strstr(refusal(many), "more than"));
	/* Nothing of a secret in a sentence. */
	assert_null(strstr(refusal("shop:" KEY_B "\r\n"), "fedcba"));
}

/* What api_keys_read says of a file with this text and mode; "" if it is taken. */
static const char *file_refusal(const char *text, mode_t mode)
{
	static struct why why;
	struct settings settings;
	struct api_keys *keys;
	char path[] = "/tmp/parley-api-keys-XXXXXX";
	int fd = mkstemp(path), copy;

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	settings_defaults(&settings);
	strcpy(settings.api_key_file, path);
	why.text[0] = 0;
	if (api_keys_read(&settings, &copy, &why) == 0) {
		assert_int_equal(api_keys_new(&settings, copy, &keys, NULL), 0);
		assert_string_equal(api_keys_find(keys, text_of(KEY_A)), "shop");
		api_keys_free(keys);
		close(copy);
	}
	unlink(path);
	return why.text;
}

static void a_worker_gets_them_by_descriptor_if_nobody_else_may_read_the_file(
	void **state)
{
	(void)state;
	assert_string_equal(file_refusal("shop:" KEY_A "\n", 0640), "");
	assert_non_null(
		strstr(file_refusal("shop:" KEY_A "\n", 0644), "everybody may read"));
	assert_non_null(
		strstr(file_refusal("shop:" KEY_A "\n", 0602), "everybody may write"));
	assert_non_null(strstr(file_refusal("shop\n", 0600), "PARLEY_API_KEY_FILE"));
}

static void without_a_file_there_are_no_keys(void **state)
{
	struct settings settings;
	struct api_keys *keys;
	int fd;

	(void)state;
	settings_defaults(&settings);
	assert_int_equal(api_keys_read(&settings, &fd, NULL), 0);
	assert_int_equal(api_keys_new(&settings, fd, &keys, NULL), 0);
	assert_null(keys);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_finds_its_name),
		cmocka_unit_test(whatever_else_is_nobodys),
		cmocka_unit_test(a_backend_may_have_two_keys_while_they_are_rotated),
		cmocka_unit_test(a_file_with_a_line_that_is_none_is_refused_whole),
		cmocka_unit_test(
			a_worker_gets_them_by_descriptor_if_nobody_else_may_read_the_file),
		cmocka_unit_test(without_a_file_there_are_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
