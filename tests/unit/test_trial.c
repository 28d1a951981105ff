/* Another program is asked whether it takes over: only a clear yes counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/trial.h"

static char folder[] = "/tmp/parley-unit-XXXXXX", program[64];
static struct trial trial;
static char version[TRIAL_VERSION_SIZE];
static struct why why;

static void script(const char *text)
{
	FILE *out = fopen(program, "w");

	assert_non_null(out);
	fprintf(out, "#!/bin/sh\n%s\n", text);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(program, 0700), 0);
}

static void start(void)
{
	static char name[] = "gateway", flag[] = "--workers=2";
	char *argv[] = { name, flag, NULL };
	struct supervisor_source source = { .argc = 2, .argv = argv };
	int state = dup(STDIN_FILENO);

	assert_true(state >= 0);
	assert_int_equal(trial_start(&trial, program, &source, &state, 1, 100, &why), 0);
	close(state);
}

static int ended(void)
{
	int status;

	assert_int_equal(waitpid(trial.pid, &status, 0), trial.pid);
	return trial_ended(&trial, status, version, &why);
}

static void refused(const char *text, const char *reason)
{
	script(text);
	start();
	assert_int_equal(ended(), -EPROTO);
	assert_int_equal(trial.pid, 0);
	if (!strstr(why.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", why.text, reason);
}

static void a_clear_yes_counts_and_names_the_version(void **state)
{
	(void)state;
	script("echo parley-gateway 2.3.4 takes over");
	start();
	assert_int_equal(ended(), 0);
	assert_string_equal(version, "2.3.4");
}

/* Whoever knows nothing of trials is at least told not to begin to serve. */
static void it_gets_our_words_the_state_and_check(void **state)
{
	(void)state;
	script("[ \"$1 $2\" = '--workers=2 --check' ] && : <&${PARLEY_HANDOVER#try:} &&\n"
	       "echo parley-gateway 1 takes over");
	start();
	assert_int_equal(ended(), 0);
}

static void anything_else_is_a_no_with_its_reason(void **state)
{
	(void)state;
	refused("echo 'the settings are valid'", "the settings are valid");
	refused("echo parley-gateway 2.3.4 takes over; exit 1", "takes over");
	refused("echo not today >&2; echo nor tomorrow; exit 78", "not today");
	refused("exit 3", "exited with 3 and said nothing");
	refused("kill -SEGV $$", "signal 11");
	refused("echo 'a \"quote\"'; exit 1", "a 'quote'");
	/* Of what it would say without an end there is room for a little. */
	refused("yes parley-gateway 2.3.4 >&1; exit 1", "parley-gateway 2.3.4");
	assert_int_equal(unlink(program), 0);
	start();
	assert_int_equal(ended(), -EPROTO);
	assert_non_null(strstr(why.text, "No such file"));
}

static void who_does_not_answer_in_time_is_ended(void **state)
{
	(void)state;
	script("exec tail -f /dev/null");
	start();
	trial_tick(&trial, 99);
	assert_false(trial.overdue);
	trial_tick(&trial, 100);
	assert_true(trial.overdue);
	assert_int_equal(ended(), -EPROTO);
	assert_non_null(strstr(why.text, "in time"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clear_yes_counts_and_names_the_version),
		cmocka_unit_test(it_gets_our_words_the_state_and_check),
		cmocka_unit_test(anything_else_is_a_no_with_its_reason),
		cmocka_unit_test(who_does_not_answer_in_time_is_ended),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(program, sizeof program, "%s/program", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(program);
	(void)rmdir(folder);
	return failed;
}
