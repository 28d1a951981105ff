#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/settings_table.h"

enum {
	HELP_WIDTH = 80
};

static const char HELP_INDENT[] = "        ";

/* ---- KEY=value ------------------------------------------------------------------ */

static bool is_bare(const char *value)
{
	for (; *value; value++) {
		if (!isalnum((unsigned char)*value) && !strchr("_-+.,:/@%[]", *value))
			return false;
	}
	return true;
}

static void print_quoted(const char *value, FILE *out)
{
	fputc('"', out);
	for (; *value; value++) {
		if (strchr("\"\\`$", *value))
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

void setting_line(const struct setting *setting, const char *value, FILE *out)
{
	fprintf(out, SETTING_PREFIX "%s=", setting->name);
	if (is_bare(value))
		fputs(value, out);
	else
		print_quoted(value, out);
	fputc('\n', out);
}

/* ---- passwords ------------------------------------------------------------------ */

#define MASK "***"

/* Replaces what lies at `from` up to `to`, both in `text`. */
static void mask(char text[SETTING_VALUE_SIZE], const char *from, const char *to)
{
	char rest[SETTING_VALUE_SIZE];
	size_t at = (size_t)(from - text);

	snprintf(rest, sizeof rest, "%s", to);
	snprintf(text + at, SETTING_VALUE_SIZE - at, MASK "%s", rest);
}

/* What may be one: between the first colon and the last @ (too much rather than too
 * little, as it may hold either), and the parameters that libpq has for it. */
static void mask_passwords(char text[SETTING_VALUE_SIZE])
{
	static const char *const words[] = { "?password=", "&password=", "?sslpassword=",
					     "&sslpassword=" };
	const char *url = strstr(text, "://"), *colon, *at;

	if (!url)
		return;
	colon = strchr(url + 3, ':');
	at = strrchr(url + 3, '@');
	if (colon && at && colon < at)
		mask(text, colon + 1, at);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const char *word = strstr(text, words[i]);
		const char *value = word ? word + strlen(words[i]) : NULL;

		if (value)
			mask(text, value, value + strcspn(value, "&"));
	}
}

/* ---- all of them ---------------------------------------------------------------- */

static int print_all(const struct settings *settings, enum settings_program program,
		     bool for_people, FILE *out)
{
	size_t n;
	const struct setting *table = setting_table(&n);

	for (size_t i = 0; i < n; i++) {
		char value[SETTING_VALUE_SIZE];

		if (!(table[i].programs & program))
			continue;
		setting_value(&table[i], settings, value);
		if (for_people)
			mask_passwords(value);
		setting_line(&table[i], value, out);
	}
	if (fflush(out) != 0 || ferror(out))
		return -EIO;
	return 0;
}

int settings_write(const struct settings *settings, enum settings_program program,
		   FILE *out)
{
	return print_all(settings, program, false, out);
}

int settings_print(const struct settings *settings, enum settings_program program,
		   FILE *out)
{
	return print_all(settings, program, true, out);
}

/* ---- --help --------------------------------------------------------------------- */

void setting_wrap(const char *text, const char *indent, size_t width, FILE *out)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column && column + 1 + len > width) {
			fputc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s", column ? " " : indent, (int)len,
					  text);
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

static void print_help(const struct setting *setting, FILE *out)
{
	char flag[SETTING_NAME_SIZE], bounds[96], text[512];

	fprintf(out, "  %s VALUE\n", setting_flag(setting, flag));
	snprintf(text, sizeof text, "%s (%s; default %s).", setting->help,
		 setting_bounds(setting, bounds, sizeof bounds),
		 *setting->def ? setting->def : "empty");
	setting_wrap(text, HELP_INDENT, HELP_WIDTH, out);
}

void settings_help(enum settings_program program, const char *usage, FILE *out)
{
	size_t n;
	const struct setting *table = setting_table(&n);

	fprintf(out,
		"usage: %s\n\n"
		"  --help      this text\n"
		"  --version   the version\n"
		"  --check     look at the settings, say what is wrong with them, and "
		"leave\n"
		"  --print     print the settings in force as a settings file, and "
		"leave\n"
		"  --config FILE\n"
		"              read lines of NAME=value; flags and variables go before "
		"it\n\n"
		"Settings, as --name VALUE, or as PARLEY_NAME in the environment or the\n"
		"file:\n",
		usage);
	for (size_t i = 0; i < n; i++) {
		if (table[i].programs & program)
			print_help(&table[i], out);
	}
}
