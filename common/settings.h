/*
 * settings - what may be set, from settings.def: flag > PARLEY_* > file.
 *
 * Flags are --name value or --name=value; a file has KEY=value lines with the
 * PARLEY_ prefix (what systemd's EnvironmentFile reads: # and ; comments, single
 * or double quotes around a value). The file is named by --config or
 * PARLEY_CONFIG. An unknown name or a value out of bounds is one sentence that
 * names it, and exit code 78 (EX_CONFIG). A known setting of another program is
 * passed over in environment and file, which programs share, and refused as a flag.
 * Also passed over: variables by which Kubernetes announces a Service named parley.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/why.h"

#define SETTINGS_EXIT 78 /* EX_CONFIG of sysexits.h: do not retry */

enum settings_program {
	SETTINGS_GATEWAY = 1,
	SETTINGS_HEALTHD = 2,
	SETTINGS_TOOL = 4
};

struct settings {
#define TEXT(field, NAME, programs, size, def, help)             char field[size];
#define NUMBER(field, NAME, programs, unit, min, max, def, help) int64_t field;
#define CHOICE(field, NAME, programs, choices, def, help)        char field[16];
#include "common/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
	char config[256]; /* the file that was read; "" if none */
};

void settings_defaults(struct settings *settings);

/* One setting by its variable's name ("PARLEY_LISTEN"). -ENOENT: no such name;
 * -EINVAL, -ERANGE, -ENAMETOOLONG with the reason. */
int settings_set(struct settings *settings, const char *name, const char *value,
		 struct why *why);

/* Reads KEY=value lines from memory; `origin` names it in reasons. */
int settings_read_text(struct settings *settings, const char *text, size_t len,
		       const char *origin, struct why *why);

/* The same from a descriptor, from its start; the descriptor stays the caller's. */
int settings_read_fd(struct settings *settings, int fd, const char *origin,
		     struct why *why);

/* What a command line asked for besides settings. */
enum settings_ask {
	SETTINGS_RUN,
	SETTINGS_HELP,
	SETTINGS_VERSION,
	SETTINGS_CHECK,
	SETTINGS_PRINT
};

/*
 * Everything: defaults, then the file, then `env`, then flags; checks that
 * the settings agree with each other. Words that are no flag of ours: those in
 * `extra` (names without dashes, NULL-terminated; "name=" takes a value, "name"
 * none) are left alone for the caller, anything else is an error. Where help or
 * version is asked for, nothing else is read. Results are written only on success.
 */
int settings_load(struct settings *settings, enum settings_program program, int argc,
		  char *const argv[], char *const env[], const char *const extra[],
		  enum settings_ask *ret_ask, struct why *why);

/* Whether what the settings point to is there and as it should be: for the program to
 * say. 0 or a negative errno with the reason. */
typedef int settings_check(const struct settings *settings, struct why *why);

/*
 * How a main() begins: settings_load, `check` (NULL: there is nothing to look at) if it
 * is to run or was asked by --check, and what the command line asked for is answered on
 * stdout. 0: go on; 1: it was a question, leave with 0; negative errno: the reason
 * stands on stderr, leave with SETTINGS_EXIT.
 */
int settings_start(struct settings *settings, enum settings_program program,
		   const char *usage, int argc, char *const argv[], char *const env[],
		   const char *const extra[], settings_check *check);

/* Rereads the same sources (the file may have changed); on failure *settings is
 * untouched. */
int settings_reload(struct settings *settings, enum settings_program program, int argc,
		    char *const argv[], char *const env[], const char *const extra[],
		    struct why *why);

/* KEY=value lines of all settings, readable by settings_read_text; with passwords, so
 * for processes only. */
int settings_write(const struct settings *settings, enum settings_program program,
		   FILE *out);

/* The same for people: a password in a URL is masked. */
int settings_print(const struct settings *settings, enum settings_program program,
		   FILE *out);
void settings_help(enum settings_program program, const char *usage, FILE *out);

/* For documents: the README's table (Markdown), the list in a man page (mdoc), and a
 * settings file with every default as a comment. */
void settings_markdown(FILE *out);
void settings_mdoc(enum settings_program program, FILE *out);
void settings_example(enum settings_program program, FILE *out);

/* Splits "127.0.0.1:8080" or "[::1]:8080"; the host is numeric and copied without
 * brackets. -EINVAL. */
int settings_address(const char *text, char *host, size_t host_size, uint16_t *ret_port);

#endif
