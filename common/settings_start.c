#include <errno.h>
#include <stdio.h>

#include "common/settings.h"

static int answer(enum settings_ask ask, const struct settings *settings,
		  enum settings_program program, const char *usage)
{
	switch (ask) {
	case SETTINGS_RUN: return 0;
	case SETTINGS_HELP: settings_help(program, usage, stdout); break;
	case SETTINGS_VERSION:
		printf("%s " PARLEY_VERSION "\n", program_invocation_short_name);
		break;
	case SETTINGS_CHECK: puts("the settings are valid"); break;
	case SETTINGS_PRINT:
		(void)settings_print(settings, program, stdout); /* flushed below */
		break;
	}
	return fflush(stdout) == 0 ? 1 : -EIO;
}

int settings_start(struct settings *settings, enum settings_program program,
		   const char *usage, int argc, char *const argv[], char *const env[],
		   const char *const extra[], settings_check *check)
{
	struct why why = { "" };
	enum settings_ask ask;
	int rc = settings_load(settings, program, argc, argv, env, extra, &ask, &why);

	if (rc == 0 && check && (ask == SETTINGS_RUN || ask == SETTINGS_CHECK))
		rc = check(settings, &why);
	if (rc == 0)
		return answer(ask, settings, program, usage);
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, why.text);
	return rc;
}
