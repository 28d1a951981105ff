#include <string.h>

#include "common/settings_table.h"

enum {
	COMMENT_WIDTH = 90
};

/* ---- the README's table --------------------------------------------------------- */

static const char *readers(const struct setting *setting)
{
	switch (setting->programs) {
	case SETTINGS_GATEWAY: return "gateway";
	case SETTINGS_HEALTHD: return "healthd";
	case SETTINGS_TOOL: return "tools";
	case SETTINGS_GATEWAY | SETTINGS_HEALTHD: return "gateway, healthd";
	case SETTINGS_HEALTHD | SETTINGS_TOOL: return "healthd, tools";
	default: return "all";
	}
}

void settings_markdown(FILE *out)
{
	size_t n;
	const struct setting *table = setting_table(&n);

	fputs("| Setting | Read by | Values | Default | What it is |\n"
	      "|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < n; i++) {
		const char *tick = *table[i].def ? "`" : "";
		char bounds[96];

		fprintf(out, "| `" SETTING_PREFIX "%s` | %s | %s | %s%s%s | %s |\n",
			table[i].name, readers(&table[i]),
			setting_bounds(&table[i], bounds, sizeof bounds), tick,
			*table[i].def ? table[i].def : "empty", tick, table[i].help);
	}
}

/* ---- the man pages -------------------------------------------------------------- */

/* What stands between backquotes is bold; a backslash is said, not obeyed. */
static void print_roff(const char *text, FILE *out)
{
	bool bold = false;

	for (; *text; text++) {
		if (*text == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fR", out);
		} else if (*text == '\\') {
			fputs("\\e", out);
		} else {
			fputc(*text, out);
		}
	}
}

void settings_mdoc(enum settings_program program, FILE *out)
{
	size_t n;
	const struct setting *table = setting_table(&n);

	for (size_t i = 0; i < n; i++) {
		char flag[SETTING_NAME_SIZE], bounds[96];

		if (!(table[i].programs & program))
			continue;
		/* One dash is Fl's own. */
		fprintf(out, ".It Fl %s Ar value\n", setting_flag(&table[i], flag) + 1);
		print_roff(table[i].help, out);
		fputs("\n(", out);
		print_roff(setting_bounds(&table[i], bounds, sizeof bounds), out);
		fputs("; default ", out);
		print_roff(*table[i].def ? table[i].def : "empty", out);
		fputs(").\n", out);
	}
}

/* ---- the example of a settings file ---------------------------------------------- */

void settings_example(enum settings_program program, FILE *out)
{
	size_t n;
	const struct setting *table = setting_table(&n);

	for (size_t i = 0; i < n; i++) {
		char bounds[96], text[512];

		if (!(table[i].programs & program))
			continue;
		snprintf(text, sizeof text, "%s (%s).", table[i].help,
			 setting_bounds(&table[i], bounds, sizeof bounds));
		fputs("\n", out);
		setting_wrap(text, "# ", COMMENT_WIDTH, out);
		fputc('#', out);
		setting_line(&table[i], table[i].def, out);
	}
}
