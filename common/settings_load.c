#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/settings_table.h"

static const char CONFIG_VARIABLE[] = SETTING_PREFIX "CONFIG";

/* Where settings come from, and what the flags among them said. */
struct sources {
	enum settings_program program;
	int argc;
	char *const *argv;
	char *const *environ;
	const char *const *extra;
	enum settings_ask ask;
	const char *config; /* NULL: none named */
};

/* ---- flags ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum settings_ask ask;
} asks[] = {
	{ "help", SETTINGS_HELP },
	{ "version", SETTINGS_VERSION },
	{ "check", SETTINGS_CHECK },
	{ "print", SETTINGS_PRINT },
};

/* One word "--name" or "--name=value"; `at` is its place among the words. */
struct flag {
	char label[SETTING_NAME_SIZE]; /* with its dashes, cut to fit */
	const char *name;              /* without them; not terminated */
	size_t len;
	const char *value; /* after the equals sign, or NULL */
	int at;
};

static bool is_flag(const struct flag *flag, const char *name, size_t len)
{
	return flag->len == len && memcmp(flag->name, name, len) == 0;
}

static int parse_flag(const char *word, struct flag *flag, struct why *why)
{
	if (strncmp(word, "--", 2) != 0 || !word[2])
		return why_set(
			why, -EINVAL,
			"'%.64s' is no setting: write --name value or --name=value",
			word);
	flag->name = word + 2;
	flag->len = strcspn(flag->name, "=");
	flag->value = flag->name[flag->len] ? flag->name + flag->len + 1 : NULL;
	snprintf(flag->label, sizeof flag->label, "%.*s", (int)flag->len + 2, word);
	return 0;
}

/* The flag's value, which may be the next word. */
static int take_value(const struct sources *sources, struct flag *flag, struct why *why)
{
	if (flag->value)
		return 0;
	if (flag->at + 1 >= sources->argc)
		return why_set(why, -EINVAL, "%s needs a value", flag->label);
	flag->value = sources->argv[++flag->at];
	return 0;
}

static int refuse_value(const struct flag *flag, struct why *why)
{
	if (!flag->value)
		return 0;
	return why_set(why, -EINVAL, "%s takes no value", flag->label);
}

static int put_flag(const struct sources *sources, const struct setting *setting,
		    struct flag *flag, struct settings *settings, struct why *why)
{
	int rc;

	if (!(setting->programs & sources->program))
		return why_set(why, -EINVAL, "%s is a setting of another program",
			       flag->label);
	rc = take_value(sources, flag, why);
	if (rc < 0)
		return rc;
	return setting_put(setting, settings, flag->value, flag->label, why);
}

/* Not a setting: one of the caller's own flags, which it reads itself, or a mistake. */
static int pass_over(const struct sources *sources, struct flag *flag, struct why *why)
{
	for (const char *const *extra = sources->extra; extra && *extra; extra++) {
		size_t len = strcspn(*extra, "=");

		if (is_flag(flag, *extra, len))
			return (*extra)[len] ? take_value(sources, flag, why)
					     : refuse_value(flag, why);
	}
	return setting_unknown(flag->label + 2, flag->label, why);
}

static int read_flag(struct sources *sources, struct flag *flag,
		     struct settings *settings, struct why *why)
{
	const struct setting *setting;
	int rc;

	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		if (is_flag(flag, asks[i].name, strlen(asks[i].name))) {
			sources->ask = asks[i].ask;
			return refuse_value(flag, why);
		}
	}
	if (is_flag(flag, "config", strlen("config"))) {
		rc = take_value(sources, flag, why);
		sources->config = flag->value;
		return rc;
	}
	setting = setting_by_flag(flag->name, flag->len);
	if (setting)
		return put_flag(sources, setting, flag, settings, why);
	return pass_over(sources, flag, why);
}

static bool ends_here(const struct sources *sources)
{
	return sources->ask == SETTINGS_HELP || sources->ask == SETTINGS_VERSION;
}

static int read_flags(struct sources *sources, struct settings *settings, struct why *why)
{
	int rc = 0;

	for (int i = 1; i < sources->argc && rc == 0 && !ends_here(sources); i++) {
		struct flag flag = { .at = i };

		rc = parse_flag(sources->argv[i], &flag, why);
		if (rc == 0)
			rc = read_flag(sources, &flag, settings, why);
		i = flag.at;
	}
	return rc;
}

/* ---- environment ---------------------------------------------------------------- */

/*
 * Kubernetes tells every pod of each Service in its namespace by such variables; one
 * named "parley" or "parley-gateway" must not keep the gateway from starting.
 */
static bool is_service_variable(const char *name)
{
	static const char pattern[] =
		"^PARLEY(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|"
		"PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$";
	regex_t regex;
	bool matches;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	matches = regexec(&regex, name, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

static int read_variable(const struct sources *sources, const char *variable,
			 struct settings *settings, struct why *why)
{
	const char *equals = strchr(variable, '=');
	char name[4 * SETTING_NAME_SIZE], label[5 * SETTING_NAME_SIZE];
	const struct setting *setting;

	if (!equals || strncmp(variable, SETTING_PREFIX, strlen(SETTING_PREFIX)) != 0)
		return 0;
	snprintf(name, sizeof name, "%.*s", (int)(equals - variable), variable);
	snprintf(label, sizeof label, "%s in the environment", name);
	setting = setting_by_variable(name);
	if (setting && (setting->programs & sources->program))
		return setting_put(setting, settings, equals + 1, label, why);
	if (setting || strcmp(name, CONFIG_VARIABLE) == 0 || is_service_variable(name))
		return 0;
	return setting_unknown(name, label, why);
}

static int read_environment(const struct sources *sources, struct settings *settings,
			    struct why *why)
{
	int rc = 0;

	for (char *const *at = sources->environ; at && *at && rc == 0; at++)
		rc = read_variable(sources, *at, settings, why);
	return rc;
}

static const char *config_variable(const struct sources *sources)
{
	size_t len = strlen(CONFIG_VARIABLE);

	for (char *const *at = sources->environ; at && *at; at++) {
		if (strncmp(*at, CONFIG_VARIABLE, len) == 0 && (*at)[len] == '=')
			return *at + len + 1;
	}
	return NULL;
}

/* ---- all together --------------------------------------------------------------- */

static int read_file(const struct sources *sources, struct settings *settings,
		     struct why *why)
{
	const char *path = sources->config;
	size_t len;
	int fd, rc;

	if (!path || !*path)
		return 0;
	len = strlen(path);
	if (len >= sizeof settings->config)
		return why_set(why, -ENAMETOOLONG,
			       "the name of the settings file is longer than %zu bytes",
			       sizeof settings->config - 1);
	memcpy(settings->config, path, len + 1);
	/* A FIFO that nobody writes to must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return why_set(why, -errno, "cannot read the settings file %s: %s", path,
			       strerror(errno));
	rc = setting_read_fd(settings, sources->program, fd, path, why);
	close(fd);
	return rc;
}

static int read_sources(struct sources *sources, struct settings *settings,
			struct why *why)
{
	int rc;

	/* Flags are read twice: now for what they ask and for --config, and in the
	 * end, because they win. */
	settings_defaults(settings);
	sources->config = config_variable(sources);
	rc = read_flags(sources, settings, why);
	settings_defaults(settings);
	if (rc < 0 || ends_here(sources))
		return rc;
	if ((rc = read_file(sources, settings, why)) < 0 ||
	    (rc = read_environment(sources, settings, why)) < 0 ||
	    (rc = read_flags(sources, settings, why)) < 0)
		return rc;
	return settings_agree(settings, why);
}

int settings_load(struct settings *settings, enum settings_program program, int argc,
		  char *const argv[], char *const env[], const char *const extra[],
		  enum settings_ask *ret_ask, struct why *why)
{
	struct sources sources = {
		.program = program,
		.argc = argc,
		.argv = argv,
		.environ = env,
		.extra = extra,
		.ask = SETTINGS_RUN,
	};
	struct settings read;
	int rc = read_sources(&sources, &read, why);

	if (rc < 0)
		return rc;
	*settings = read;
	*ret_ask = sources.ask;
	return 0;
}

int settings_reload(struct settings *settings, enum settings_program program, int argc,
		    char *const argv[], char *const env[], const char *const extra[],
		    struct why *why)
{
	enum settings_ask ask;

	return settings_load(settings, program, argc, argv, env, extra, &ask, why);
}
