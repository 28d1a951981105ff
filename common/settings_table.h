/*
 * settings_table - settings.def as data, for the files that make up `settings`.
 */
#ifndef SETTINGS_TABLE_H
#define SETTINGS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/why.h"

enum setting_kind {
	SETTING_TEXT,
	SETTING_NUMBER,
	SETTING_CHOICE
};

#define SETTING_ALL       (SETTINGS_GATEWAY | SETTINGS_HEALTHD | SETTINGS_TOOL)
#define SETTING_PREFIX    "PARLEY_"
#define SETTING_NAME_SIZE 64 /* holds a variable's name and a flag with its dashes */

struct setting {
	const char *name; /* without the prefix */
	enum setting_kind kind;
	unsigned programs; /* of enum settings_program */
	size_t offset;     /* in struct settings */
	size_t size;       /* TEXT, CHOICE: of the field, terminator included */
	const char *unit;  /* NUMBER */
	int64_t min, max;
	const char *choices; /* CHOICE: "a|b|c" */
	const char *def;     /* as it would be written */
	const char *help;
};

/* All of them, in the order of settings.def. */
const struct setting *setting_table(size_t *ret_n);

/* By the variable's whole name, or by a flag's name of `len` bytes without its
 * dashes; NULL if there is none. */
const struct setting *setting_by_variable(const char *variable);
const struct setting *setting_by_flag(const char *flag, size_t len);

/* -ENOENT and "LABEL is no setting", with the nearest name if there is a near one.
 * `name` is the variable without its prefix or the flag without its dashes. */
int setting_unknown(const char *name, const char *label, struct why *why);

/* "--health-listen". Returns `out`. */
const char *setting_flag(const struct setting *setting, char out[SETTING_NAME_SIZE]);

/* What values it takes, in words: "0 to 64 processes". Returns `out`. */
const char *setting_bounds(const struct setting *setting, char *out, size_t size);

/* The value in force as it would be written. Returns `out`. */
#define SETTING_VALUE_SIZE 2048
const char *setting_value(const struct setting *setting, const struct settings *settings,
			  char out[SETTING_VALUE_SIZE]);

/* "PARLEY_NAME=value" and a newline, quoted where a shell would want it. */
void setting_line(const struct setting *setting, const char *value, FILE *out);

/* Words in lines of `width` that begin with `indent`. */
void setting_wrap(const char *text, const char *indent, size_t width, FILE *out);

/* Checks and stores; `label` names setting and source in the reason. */
int setting_put(const struct setting *setting, struct settings *settings,
		const char *value, const char *label, struct why *why);

/* settings_read_text for one program: what is of others only is passed over. */
int setting_read_text(struct settings *settings, unsigned programs, const char *text,
		      size_t len, const char *origin, struct why *why);
int setting_read_fd(struct settings *settings, unsigned programs, int fd,
		    const char *origin, struct why *why);

/* Whether the settings agree with each other. */
int settings_agree(const struct settings *settings, struct why *why);

#endif
