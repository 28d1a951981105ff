/* Loading settings: flag over environment over file, and who is refused why. */
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

#include "common/settings.h"

enum {
	WORDS_MAX = 8
};

/* One start of a program: its flags and environment, and what came of it. */
struct start {
	const char *flags[WORDS_MAX], *env[WORDS_MAX];
	enum settings_program program; /* 0: the gateway */
	struct settings settings;
	enum settings_ask ask;
	struct why why;
};

static int load(struct start *start)
{
	static const char *const extra[] = { "child=", "shared-listener", NULL };
	char program[] = "program", *argv[WORDS_MAX + 2] = { program };
	int argc = 1;

	for (; start->flags[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)start->flags[argc - 1];
	return settings_load(&start->settings,
			     start->program ? start->program : SETTINGS_GATEWAY, argc,
			     argv, (char *const *)(uintptr_t)start->env, extra,
			     &start->ask, &start->why);
}

static void make_file(char path[64], const char *text)
{
	int fd;

	snprintf(path, 64, "/tmp/parley-settings-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
	char path[64], variable[96];
	struct start start = {
		.flags = { "--workers", "3", "--segment=a=b" },
		.env = { "PARLEY_WORKERS=2", "PARLEY_ROOMS_MAX=2", variable },
	};

	make_file(path, "PARLEY_WORKERS=1\nPARLEY_ROOMS_MAX=1\nPARLEY_OUTBOX_MAX=2000\n");
	snprintf(variable, sizeof variable, "PARLEY_CONFIG=%s", path);
	int rc = load(&start);
	unlink(path);
	assert_int_equal(rc, 0);
	assert_int_equal(start.ask, SETTINGS_RUN);
	assert_int_equal(start.settings.workers, 3);
	assert_int_equal(start.settings.rooms_max, 2);
	assert_int_equal(start.settings.outbox_max, 2000);
	assert_string_equal(start.settings.segment, "a=b");
	assert_string_equal(start.settings.config, path);
}

static void the_config_flag_wins_over_its_variable(void **state)
{
	char path[64];
	struct start start = {
		.flags = { "--config", path },
		.env = { "PARLEY_CONFIG=/nowhere" },
	};

	make_file(path, "PARLEY_WORKERS=5\n");
	int rc = load(&start);
	unlink(path);
	assert_int_equal(rc, 0);
	assert_int_equal(start.settings.workers, 5);
}

static void mistakes_stop_the_start_with_one_sentence(void **state)
{
	static const struct {
		struct start start;
		const char *reason;
	} rows[] = {
		{ { .flags = { "--workers", "65" } },
		  "--workers is '65', but must be a whole number, 0 to 64 processes" },
		{ { .env = { "PARLEY_WORKERS=x" } },
		  "PARLEY_WORKERS in the environment is 'x', but must be a whole number, "
		  "0 to 64 processes" },
		{ { .env = { "PARLEY_LISEN=x" } },
		  "PARLEY_LISEN in the environment is not a setting; did you mean "
		  "PARLEY_LISTEN?" },
		{ { .flags = { "--lisen=x" } },
		  "--lisen is not a setting; did you mean --listen?" },
		{ { .flags = { "--frobnicate" } }, "--frobnicate is not a setting" },
		{ { .flags = { "--workers" } }, "--workers needs a value" },
		{ { .flags = { "--config" } }, "--config needs a value" },
		{ { .flags = { "--check=1" } }, "--check takes no value" },
		{ { .flags = { "--shared-listener=1" } },
		  "--shared-listener takes no value" },
		{ { .flags = { "--child" } }, "--child needs a value" },
		{ { .flags = { "lobby" } },
		  "'lobby' is no setting: write --name value or --name=value" },
		{ { .flags = { "--" } },
		  "'--' is no setting: write --name value or --name=value" },
		{ { .flags = { "--health-listen=127.0.0.1:1" } },
		  "--health-listen is a setting of another program" },
		{ { .flags = { "--config=/nowhere/at/all" } },
		  "cannot read the settings file /nowhere/at/all: "
		  "No such file or directory" },
		{ { .flags = { "--listen=127.0.0.1" } },
		  "PARLEY_LISTEN is '127.0.0.1', but must be an address and a port, as "
		  "in "
		  "127.0.0.1:8080 or [::1]:8080" },
		{ { .flags = { "--store=mysql://me:secret@db" } },
		  "PARLEY_STORE must be sqlite: and a path, or the URL of a database "
		  "that begins with postgresql://" },
		{ { .flags = { "--segment=/parley" } },
		  "PARLEY_SEGMENT is '/parley', but must be a file name without a slash "
		  "or a leading dot" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct start start = rows[i].start;

		assert_true(load(&start) < 0);
		assert_string_equal(start.why.text, rows[i].reason);
	}
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
	static const struct start bad[] = {
		{ .flags = { "--hang-act-ms=1000", "--hang-report-ms=1000" } },
		{ .flags = { "--drain-spread-ms=20001" } },
		{ .flags = { "--room-log-bytes=131071" } },
		{ .flags = { "--room-logs-bytes=4194303" } },
		{ .flags = { "--bus-ring-bytes=524287" } },
	};
	static const struct start good[] = {
		{ .flags = { "--hang-act-ms=1001", "--hang-report-ms=1000" } },
		{ .flags = { "--drain-spread-ms=20000" } },
		{ .flags = { "--room-log-bytes=131072" } },
		{ .flags = { "--room-logs-bytes=4194304" } },
		{ .flags = { "--bus-ring-bytes=524288" } },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct start start = bad[i];

		assert_int_equal(load(&start), -EINVAL);
		start = good[i];
		assert_int_equal(load(&start), 0);
	}
}

static void an_open_gateway_stays_on_the_loopback_unless_told(void **state)
{
	static const char *const beyond[] = { "--listen=0.0.0.0:80", "--listen=[::]:80",
					      "--listen=128.0.0.1:80",
					      "--listen=[2001:db8::1]:80" };
	static const char *const inside[] = { "--listen=127.9.9.9:80",
					      "--listen=[::1]:80" };

	for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
		struct start start = { .flags = { beyond[i] } };

		assert_int_equal(load(&start), -EINVAL);
		assert_non_null(strstr(start.why.text, "OPEN_BEYOND_LOOPBACK=yes"));
		start.flags[1] = "--open-beyond-loopback=yes";
		assert_int_equal(load(&start), 0);
	}
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
		struct start start = { .flags = { inside[i] } };

		assert_int_equal(load(&start), 0);
	}
}

static void programs_share_a_file_and_look_only_at_what_is_theirs(void **state)
{
	char path[64];
	struct start start = {
		.program = SETTINGS_HEALTHD,
		.flags = { "--config", path },
		.env = { "PARLEY_MESSAGE_MAX=nonsense", "HOME=/", "PARLEY" },
	};

	make_file(path, "PARLEY_LISTEN=0.0.0.0:80\nPARLEY_HEALTH_LISTEN=127.0.0.1:9\n");
	int rc = load(&start);
	unlink(path);
	assert_int_equal(rc, 0);
	assert_string_equal(start.settings.health_listen, "127.0.0.1:9");
	assert_string_equal(start.settings.listen, "127.0.0.1:8080");
}

static void a_kubernetes_service_named_parley_does_no_harm(void **state)
{
	struct start start = {
		.env = { "PARLEY_SERVICE_HOST=10.0.0.1", "PARLEY_SERVICE_PORT=8080",
			 "PARLEY_SERVICE_PORT_HTTP=8080",
			 "PARLEY_PORT=tcp://10.0.0.1:8080",
			 "PARLEY_PORT_8080_TCP=tcp://10.0.0.1:8080",
			 "PARLEY_GATEWAY_PORT_8080_TCP_ADDR=10.0.0.1",
			 "PARLEY_HEALTHD_SERVICE_HOST=10.0.0.1" },
	};
	struct start typo = { .env = { "PARLEY_PORTS=8080" } };

	assert_int_equal(load(&start), 0);
	assert_int_equal(load(&typo), -ENOENT);
}

static void flags_of_the_caller_are_left_alone(void **state)
{
	struct start start = {
		.flags = { "--child", "worker", "--shared-listener", "--child=sequencer",
			   "--workers", "2" },
	};

	assert_int_equal(load(&start), 0);
	assert_int_equal(start.settings.workers, 2);
}

static void questions_are_answered_even_when_settings_are_wrong(void **state)
{
	static const struct {
		const char *flag;
		enum settings_ask ask;
		int rc;
	} rows[] = {
		{ "--help", SETTINGS_HELP, 0 },
		{ "--version", SETTINGS_VERSION, 0 },
		{ "--check", SETTINGS_RUN, -ENOENT },
		{ "--print", SETTINGS_RUN, -ENOENT },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct start start = { .flags = { rows[i].flag },
				       .env = { "PARLEY_NONSENSE=1" } };

		assert_int_equal(load(&start), rows[i].rc);
		assert_int_equal(start.ask, rows[i].ask);
	}
}

static void a_failed_reload_leaves_what_is_in_force(void **state)
{
	char path[64], program[] = "program", flag[] = "--config";
	char *argv[] = { program, flag, path, NULL };
	struct settings settings, before;
	struct why why;
	FILE *file;

	make_file(path, "PARLEY_WORKERS=4\n");
	settings_defaults(&settings);
	assert_int_equal(
		settings_reload(&settings, SETTINGS_GATEWAY, 3, argv, NULL, NULL, &why),
		0);
	assert_int_equal(settings.workers, 4);
	before = settings;
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("PARLEY_WORKERS=5\nPARLEY_ROOMS_MAX=0\n", file);
	fclose(file);
	assert_int_equal(
		settings_reload(&settings, SETTINGS_GATEWAY, 3, argv, NULL, NULL, &why),
		-ERANGE);
	unlink(path);
	assert_memory_equal(&settings, &before, sizeof before);
}

/* stdout or stderr goes into a file meanwhile, and what came is in `said`. */
static int start_with(const char *flag, int fd, char *said, size_t size)
{
	char program[] = "program", *argv[] = { program, (char *)(uintptr_t)flag, NULL };
	int kept = dup(fd);
	FILE *file = tmpfile();
	struct settings settings;
	int rc;

	assert_non_null(file);
	fflush(NULL);
	assert_true(kept >= 0 && dup2(fileno(file), fd) == fd);
	rc = settings_start(&settings, SETTINGS_GATEWAY, "usage", 2, argv, NULL, NULL,
			    NULL);
	assert_true(dup2(kept, fd) == fd);
	close(kept);
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	said[fread(said, 1, size - 1, file)] = '\0';
	fclose(file);
	return rc;
}

static void a_start_goes_on_or_answers_or_says_why_not(void **state)
{
	char said[200];

	assert_int_equal(start_with("--workers=2", 1, said, sizeof said), 0);
	assert_string_equal(said, "");
	assert_int_equal(start_with("--help", 1, said, sizeof said), 1);
	assert_memory_equal(said, "usage: usage\n", 13);
	assert_int_equal(start_with("--version", 1, said, sizeof said), 1);
	assert_non_null(strstr(said, " " PARLEY_VERSION "\n"));
	assert_int_equal(start_with("--check", 1, said, sizeof said), 1);
	assert_string_equal(said, "the settings are valid\n");
	assert_int_equal(start_with("--print", 1, said, sizeof said), 1);
	assert_memory_equal(said, "PARLEY_LISTEN=127.0.0.1:8080\n", 29);
	assert_int_equal(start_with("--workers=65", 2, said, sizeof said), -ERANGE);
	assert_non_null(strstr(said, ": --workers is '65', but must be"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_file),
		cmocka_unit_test(the_config_flag_wins_over_its_variable),
		cmocka_unit_test(mistakes_stop_the_start_with_one_sentence),
		cmocka_unit_test(settings_that_contradict_each_other_are_refused),
		cmocka_unit_test(an_open_gateway_stays_on_the_loopback_unless_told),
		cmocka_unit_test(programs_share_a_file_and_look_only_at_what_is_theirs),
		cmocka_unit_test(a_kubernetes_service_named_parley_does_no_harm),
		cmocka_unit_test(flags_of_the_caller_are_left_alone),
		cmocka_unit_test(questions_are_answered_even_when_settings_are_wrong),
		cmocka_unit_test(a_start_goes_on_or_answers_or_says_why_not),
		cmocka_unit_test(a_failed_reload_leaves_what_is_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
