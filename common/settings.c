#include "common/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/settings_table.h"

enum {
	/* The letters of settings.def. */
	G = SETTINGS_GATEWAY,
	H = SETTINGS_HEALTHD,
	T = SETTINGS_TOOL
};

#define FIELD(field)      offsetof(struct settings, field)
#define FIELD_SIZE(field) sizeof(((struct settings *)0)->field)

static const struct setting table[] = {
#define TEXT(field_, NAME, programs_, size_, def_, help_) \
	{                                                 \
		.name = #NAME,                            \
		.kind = SETTING_TEXT,                     \
		.programs = (programs_),                  \
		.offset = FIELD(field_),                  \
		.size = (size_),                          \
		.def = (def_),                            \
		.help = (help_),                          \
	},
#define NUMBER(field_, NAME, programs_, unit_, min_, max_, def_, help_) \
	{                                                               \
		.name = #NAME,                                          \
		.kind = SETTING_NUMBER,                                 \
		.programs = (programs_),                                \
		.offset = FIELD(field_),                                \
		.unit = (unit_),                                        \
		.min = (min_),                                          \
		.max = (max_),                                          \
		.def = #def_,                                           \
		.help = (help_),                                        \
	},
#define CHOICE(field_, NAME, programs_, choices_, def_, help_) \
	{                                                      \
		.name = #NAME,                                 \
		.kind = SETTING_CHOICE,                        \
		.programs = (programs_),                       \
		.offset = FIELD(field_),                       \
		.size = FIELD_SIZE(field_),                    \
		.choices = (choices_),                         \
		.def = (def_),                                 \
		.help = (help_),                               \
	},
#include "common/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
};
static const size_t n_table = sizeof table / sizeof *table;

const struct setting *setting_table(size_t *ret_n)
{
	*ret_n = n_table;
	return table;
}

const struct setting *setting_by_variable(const char *variable)
{
	static const size_t prefix_len = sizeof SETTING_PREFIX - 1;

	if (strncmp(variable, SETTING_PREFIX, prefix_len) != 0)
		return NULL;
	for (size_t i = 0; i < n_table; i++) {
		if (strcmp(table[i].name, variable + prefix_len) == 0)
			return &table[i];
	}
	return NULL;
}

const char *setting_flag(const struct setting *setting, char out[SETTING_NAME_SIZE])
{
	size_t at = 0;

	CHECK(strlen(setting->name) + 3 <= SETTING_NAME_SIZE);
	out[at++] = '-';
	out[at++] = '-';
	for (const char *c = setting->name; *c; c++)
		out[at++] = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	out[at] = '\0';
	return out;
}

const struct setting *setting_by_flag(const char *flag, size_t len)
{
	char own[SETTING_NAME_SIZE];

	for (size_t i = 0; i < n_table; i++) {
		setting_flag(&table[i], own);
		if (strlen(own + 2) == len && memcmp(own + 2, flag, len) == 0)
			return &table[i];
	}
	return NULL;
}

static void *field_of(const struct setting *setting, struct settings *settings)
{
	return (char *)settings + setting->offset;
}

const char *setting_bounds(const struct setting *setting, char *out, size_t size)
{
	size_t at = 0;

	switch (setting->kind) {
	case SETTING_TEXT:
		snprintf(out, size, "at most %zu bytes", setting->size - 1);
		break;
	case SETTING_NUMBER:
		snprintf(out, size, "%" PRId64 " to %" PRId64 " %s", setting->min,
			 setting->max, setting->unit);
		break;
	case SETTING_CHOICE:
		for (const char *c = setting->choices; *c && at + 3 < size; c++) {
			out[at++] = *c == '|' ? ',' : *c;
			if (*c == '|')
				out[at++] = ' ';
		}
		out[at] = '\0';
		break;
	}
	return out;
}

static int put_text(const struct setting *setting, char *field, const char *value,
		    const char *label, struct why *why)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)value[i]))
			return why_set(why, -EINVAL, "%s holds a control character",
				       label);
	}
	if (len >= setting->size)
		return why_set(why, -ENAMETOOLONG,
			       "%s is %zu bytes long, but must be at most %zu", label,
			       len, setting->size - 1);
	memcpy(field, value, len + 1);
	return 0;
}

static int put_number(const struct setting *setting, int64_t *field, const char *value,
		      const char *label, struct why *why)
{
	size_t n_digits = strspn(value, "0123456789");
	bool is_number = n_digits > 0 && value[n_digits] == '\0';
	int64_t number;

	errno = 0;
	number = is_number ? strtoll(value, NULL, 10) : 0;
	if (!is_number || errno || number < setting->min || number > setting->max) {
		char bounds[96];

		return why_set(why, is_number ? -ERANGE : -EINVAL,
			       "%s is '%.40s', but must be a whole number, %s", label,
			       value, setting_bounds(setting, bounds, sizeof bounds));
	}
	*field = number;
	return 0;
}

static int put_choice(const struct setting *setting, char *field, const char *value,
		      const char *label, struct why *why)
{
	const char *choice = setting->choices;
	size_t len = strlen(value);
	char bounds[96];

	for (;;) {
		size_t choice_len = strcspn(choice, "|");

		if (choice_len == len && memcmp(choice, value, len) == 0) {
			CHECK(len < setting->size);
			memcpy(field, value, len + 1);
			return 0;
		}
		if (!choice[choice_len])
			break;
		choice += choice_len + 1;
	}
	return why_set(why, -EINVAL, "%s is '%.40s', but must be one of: %s", label,
		       value, setting_bounds(setting, bounds, sizeof bounds));
}

int setting_put(const struct setting *setting, struct settings *settings,
		const char *value, const char *label, struct why *why)
{
	void *field = field_of(setting, settings);

	switch (setting->kind) {
	case SETTING_TEXT: return put_text(setting, field, value, label, why);
	case SETTING_NUMBER: return put_number(setting, field, value, label, why);
	case SETTING_CHOICE: break;
	}
	return put_choice(setting, field, value, label, why);
}

const char *setting_value(const struct setting *setting, const struct settings *settings,
			  char out[SETTING_VALUE_SIZE])
{
	const void *field = (const char *)settings + setting->offset;

	if (setting->kind == SETTING_NUMBER)
		snprintf(out, SETTING_VALUE_SIZE, "%" PRId64, *(const int64_t *)field);
	else
		snprintf(out, SETTING_VALUE_SIZE, "%s", (const char *)field);
	return out;
}

void settings_defaults(struct settings *settings)
{
	memset(settings, 0, sizeof *settings);
	for (size_t i = 0; i < n_table; i++)
		CHECK(setting_put(&table[i], settings, table[i].def, table[i].name,
				  NULL) == 0);
}

int settings_set(struct settings *settings, const char *name, const char *value,
		 struct why *why)
{
	const struct setting *setting = setting_by_variable(name);

	if (!setting)
		return setting_unknown(name, name, why);
	return setting_put(setting, settings, value, name, why);
}
