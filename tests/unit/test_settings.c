/* Settings: what is in bounds is taken, anything else is one sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/settings.h"

static void the_defaults_are_the_ones_that_others_rely_on(void **state)
{
	struct settings settings;

	settings_defaults(&settings);
	assert_string_equal(settings.listen, "127.0.0.1:8080");
	assert_string_equal(settings.health_listen, "127.0.0.1:3000");
	assert_string_equal(settings.segment, "parley");
	assert_string_equal(settings.log_level, "info");
	assert_string_equal(settings.origins, "");
	assert_int_equal(settings.hang_act_ms, 3000);
	assert_string_equal(settings.config, "");
}

static void every_log_level_of_the_choice_is_one_of_the_log(void **state)
{
	static const char *const names[] = { "error", "warning", "notice", "info",
					     "debug" };
	struct settings settings;
	enum log_level level;

	settings_defaults(&settings);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(
			settings_set(&settings, "PARLEY_LOG_LEVEL", names[i], NULL), 0);
		assert_int_equal(log_level_parse(settings.log_level, &level), 0);
	}
}

static void both_ends_of_the_bounds_are_inside(void **state)
{
	struct settings settings;

	settings_defaults(&settings);
	assert_int_equal(settings_set(&settings, "PARLEY_WORKERS", "64", NULL), 0);
	assert_int_equal(settings.workers, 64);
	assert_int_equal(settings_set(&settings, "PARLEY_WORKERS", "0", NULL), 0);
	assert_int_equal(settings.workers, 0);
	assert_int_equal(
		settings_set(&settings, "PARLEY_ROOM_LOGS_BYTES", "1099511627776", NULL),
		0);
	assert_int_equal(settings.room_logs_bytes, 1099511627776);
}

static void what_is_not_allowed_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		const char *name, *value;
		int error;
		const char *reason;
	} rows[] = {
		{ "PARLEY_WORKERS", "65", -ERANGE,
		  "PARLEY_WORKERS is '65', but must be a whole number, 0 to 64 "
		  "processes" },
		{ "PARLEY_WORKERS", "99999999999999999999", -ERANGE, NULL },
		{ "PARLEY_HANG_ACT_MS", "499", -ERANGE, NULL },
		{ "PARLEY_WORKERS", "", -EINVAL, NULL },
		{ "PARLEY_WORKERS", "-1", -EINVAL, NULL },
		{ "PARLEY_WORKERS", "+1", -EINVAL, NULL },
		{ "PARLEY_WORKERS", " 1", -EINVAL, NULL },
		{ "PARLEY_WORKERS", "1 ", -EINVAL, NULL },
		{ "PARLEY_WORKERS", "0x1", -EINVAL, NULL },
		{ "PARLEY_WORKERS", "1.5", -EINVAL, NULL },
		{ "PARLEY_WORKERS", "4k", -EINVAL, NULL },
		{ "PARLEY_LOG_LEVEL", "loud", -EINVAL,
		  "PARLEY_LOG_LEVEL is 'loud', but must be one of: "
		  "error, warning, notice, info, debug" },
		{ "PARLEY_LOG_LEVEL", "", -EINVAL, NULL },
		{ "PARLEY_LOG_LEVEL", "inf", -EINVAL, NULL },
		{ "PARLEY_LOG_LEVEL", "error|warning", -EINVAL, NULL },
		{ "PARLEY_SEGMENT", "a\nb", -EINVAL, NULL },
		{ "PARLEY_SEGMENT_GROUP", "0123456789012345678901234567890123456789",
		  -ENAMETOOLONG,
		  "PARLEY_SEGMENT_GROUP is 40 bytes long, but must be at most 31" },
		{ "PARLEY_WORKER", "1", -ENOENT,
		  "PARLEY_WORKER is not a setting; did you mean PARLEY_WORKERS?" },
		{ "WORKERS", "1", -ENOENT, NULL },
		{ "", "1", -ENOENT, " is not a setting" },
		{ "PARLEY_", "1", -ENOENT, "PARLEY_ is not a setting" },
	};
	struct settings settings, before;

	settings_defaults(&settings);
	before = settings;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct why why = { "" };

		assert_int_equal(
			settings_set(&settings, rows[i].name, rows[i].value, &why),
			rows[i].error);
		if (rows[i].reason)
			assert_string_equal(why.text, rows[i].reason);
		assert_memory_equal(&settings, &before, sizeof before);
	}
}

/* ---- files ---------------------------------------------------------------------- */

static int read_text(struct settings *settings, const char *text, struct why *why)
{
	settings_defaults(settings);
	return settings_read_text(settings, text, strlen(text), "parley.conf", why);
}

static void a_file_is_read_as_systemd_reads_it(void **state)
{
	static const struct {
		const char *text, *origins;
	} rows[] = {
		{ "PARLEY_ORIGINS=a", "a" },
		{ "\n \n# c\n; c\n\tPARLEY_ORIGINS = a b \t\r\n\n", "a b" },
		{ "PARLEY_ORIGINS=a\nPARLEY_ORIGINS=b\n", "b" },
		{ "PARLEY_ORIGINS=\" a \"", " a " },
		{ "PARLEY_ORIGINS=' a '  ", " a " },
		{ "PARLEY_ORIGINS=\"a\\\"\\\\\\$\\`\\n\"", "a\"\\$`\\n" },
		{ "PARLEY_ORIGINS='a\\n'", "a\\n" },
		{ "PARLEY_ORIGINS=a\\ b\\\\", "a b\\" },
		{ "PARLEY_ORIGINS=a'b", "a'b" },
		{ "PARLEY_ORIGINS=a#b;c=d", "a#b;c=d" },
		{ "PARLEY_ORIGINS=", "" },
		{ "PARLEY_ORIGINS=\"\"", "" },
		{ "", "" },
	};
	struct settings settings;
	struct why why;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(read_text(&settings, rows[i].text, &why), 0);
		assert_string_equal(settings.origins, rows[i].origins);
	}
}

static void a_mistake_in_a_file_is_told_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "PARLEY_WORKERS=1\n\nPARLEY_WORKERS=x\n",
		  "PARLEY_WORKERS in parley.conf, line 3 is 'x', but must be a whole "
		  "number, 0 to 64 processes" },
		{ "PARLEY_WORKRS=1", "PARLEY_WORKRS in parley.conf, line 1 is not a "
				     "setting; did you mean PARLEY_WORKERS?" },
		{ "TZ=UTC", "TZ in parley.conf, line 1 is not a setting" },
		{ "PARLEY_WORKERS", "parley.conf, line 1 is not of the form NAME=value" },
		{ "PARLEY_SEGMENT=\"a",
		  "parley.conf, line 1 has a quote that is not closed" },
		{ "PARLEY_SEGMENT='a' # b",
		  "parley.conf, line 1 has text after the closing quote" },
		{ "PARLEY_SEGMENT=a\\\n",
		  "parley.conf, line 1 ends in a backslash; a value is one line" },
	};
	struct settings settings;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct why why = { "" };

		assert_true(read_text(&settings, rows[i].text, &why) < 0);
		assert_string_equal(why.text, rows[i].reason);
	}
}

static void zero_bytes_and_endless_lines_are_refused(void **state)
{
	static const char zero[] = "PARLEY_SEGMENT=a\0b";
	struct settings settings;
	struct why why;
	char text[5000];

	settings_defaults(&settings);
	assert_int_equal(settings_read_text(&settings, zero, sizeof zero - 1, "f", &why),
			 -EINVAL);
	memset(text, 'a', sizeof text);
	assert_int_equal(settings_read_text(&settings, text, sizeof text, "f", &why),
			 -EINVAL);
	text[snprintf(text, sizeof text, "PARLEY_ORIGINS=")] = 'a';
	assert_int_equal(settings_read_text(&settings, text, sizeof text, "f", &why),
			 -ENAMETOOLONG);
	assert_string_equal(settings.segment, "parley");
}

static void a_descriptor_is_read_from_its_start_and_stays_where_it_was(void **state)
{
	FILE *file = tmpfile();
	struct settings settings;
	struct why why;

	assert_non_null(file);
	fputs("PARLEY_WORKERS=3\n", file);
	fflush(file);
	settings_defaults(&settings);
	assert_int_equal(settings_read_fd(&settings, fileno(file), "memfd", &why), 0);
	assert_int_equal(settings.workers, 3);
	assert_int_equal(lseek(fileno(file), 0, SEEK_CUR), 17);
	fclose(file);
	assert_int_equal(settings_read_fd(&settings, -1, "nothing", &why), -EBADF);
}

static void a_file_that_is_too_long_is_refused(void **state)
{
	FILE *file = tmpfile();
	struct settings settings;
	struct why why;

	assert_non_null(file);
	for (int i = 0; i < 66000; i++)
		fputc('\n', file);
	fflush(file);
	assert_int_equal(settings_read_fd(&settings, fileno(file), "f", &why), -EFBIG);
	assert_string_equal(why.text, "f is longer than 65536 bytes");
	fclose(file);
}

/* ---- what is shown -------------------------------------------------------------- */

static void what_is_written_reads_back_as_the_same(void **state)
{
	struct settings settings, again;
	struct why why;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	settings_defaults(&settings);
	assert_int_equal(settings_set(&settings, "PARLEY_ORIGINS",
				      " a\"b\\c$d`e'f#g;h=i\xc3\xa9 ", &why),
			 0);
	assert_int_equal(settings_set(&settings, "PARLEY_WORKERS", "7", &why), 0);
	assert_int_equal(settings_set(&settings, "PARLEY_STORE",
				      "postgresql://me:secret@db/chat", &why),
			 0);
	assert_int_equal(settings_write(&settings, SETTINGS_GATEWAY, out), 0);
	fclose(out);
	settings_defaults(&again);
	assert_int_equal(settings_read_text(&again, text, len, "print", &why), 0);
	assert_memory_equal(&again, &settings, sizeof again);
	assert_null(strstr(text, "PARLEY_HEALTH_LISTEN"));
	free(text);
}

/* What --print says of the store. */
static void expect_store_shown(const char *value, const char *shown)
{
	struct settings settings;
	struct why why;
	char *text = NULL, line[256];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	settings_defaults(&settings);
	assert_int_equal(settings_set(&settings, "PARLEY_STORE", value, &why), 0);
	assert_int_equal(settings_print(&settings, SETTINGS_GATEWAY, out), 0);
	fclose(out);
	snprintf(line, sizeof line, "\nPARLEY_STORE=%s\n", shown);
	if (!strstr(text, line))
		fail_msg("not%sin\n%s", line, text);
	free(text);
}

static void a_password_is_not_shown(void **state)
{
	expect_store_shown("sqlite:/var/lib/parley.db", "sqlite:/var/lib/parley.db");
	expect_store_shown("postgresql://me@db:5432/chat",
			   "postgresql://me@db:5432/chat");
	expect_store_shown("postgresql://me:secret@db:5432/chat",
			   "\"postgresql://me:***@db:5432/chat\"");
	expect_store_shown("postgres://me:s:e@c/r@db", "\"postgres://me:***@db\"");
	expect_store_shown("postgresql://db/chat?password=secret&sslmode=require",
			   "\"postgresql://db/chat?password=***&sslmode=require\"");
	expect_store_shown("postgresql://db/chat?user=me&sslpassword=secret",
			   "\"postgresql://db/chat?user=me&sslpassword=***\"");
}

static void help_and_table_tell_bounds_unit_and_default(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	settings_help(SETTINGS_HEALTHD, "parley-healthd", out);
	settings_markdown(out);
	fclose(out);
	assert_memory_equal(text, "usage: parley-healthd\n", 22);
	assert_non_null(strstr(text, "  --hang-report-ms VALUE\n"));
	assert_non_null(strstr(text, "(200 to\n        60000 ms; default "
				     "1000).\n"));
	assert_null(strstr(text, "--workers"));
	assert_non_null(strstr(text,
			       "\n| `PARLEY_WORKERS` | gateway | 0 to 64 processes |"
			       " `0` | Worker processes; 0 means one per "
			       "processor |\n"));
	free(text);
}

static void an_address_is_numeric_and_has_a_port(void **state)
{
	static const char *const bad[] = {
		"",
		":80",
		"127.0.0.1",
		"127.0.0.1:",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[::1:80",
		"1.2.3.4:x",
		"1.2.3.4:65536",
		"1.2.3.4:-1",
		"localhost:80",
		"[1.2.3.4]:80",
		"1.2.3.4:000080",
		"1.2.3.4:80 ",
		"[]:80",
	};
	uint16_t port = 7;
	char host[46];

	assert_int_equal(settings_address("127.0.0.1:0", host, sizeof host, &port), 0);
	assert_string_equal(host, "127.0.0.1");
	assert_int_equal(port, 0);
	assert_int_equal(settings_address("[::1]:65535", host, sizeof host, &port), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 65535);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(settings_address(bad[i], host, sizeof host, &port),
				 -EINVAL);
	assert_int_equal(settings_address("127.0.0.1:80", host, 9, &port), -EINVAL);
	assert_int_equal(port, 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_the_ones_that_others_rely_on),
		cmocka_unit_test(every_log_level_of_the_choice_is_one_of_the_log),
		cmocka_unit_test(both_ends_of_the_bounds_are_inside),
		cmocka_unit_test(what_is_not_allowed_is_refused_and_changes_nothing),
		cmocka_unit_test(a_file_is_read_as_systemd_reads_it),
		cmocka_unit_test(a_mistake_in_a_file_is_told_with_file_and_line),
		cmocka_unit_test(zero_bytes_and_endless_lines_are_refused),
		cmocka_unit_test(
			a_descriptor_is_read_from_its_start_and_stays_where_it_was),
		cmocka_unit_test(a_file_that_is_too_long_is_refused),
		cmocka_unit_test(what_is_written_reads_back_as_the_same),
		cmocka_unit_test(a_password_is_not_shown),
		cmocka_unit_test(help_and_table_tell_bounds_unit_and_default),
		cmocka_unit_test(an_address_is_numeric_and_has_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
