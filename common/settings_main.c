/*
 * settings - prints what the documents say of settings: `settings table`, and for one of
 * gateway, healthd and tools `settings mdoc PROGRAM` and `settings example PROGRAM`.
 */
#include <stdio.h>
#include <string.h>

#include "common/settings.h"

static const struct {
	const char *name;
	enum settings_program program;
} programs[] = {
	{ "gateway", SETTINGS_GATEWAY },
	{ "healthd", SETTINGS_HEALTHD },
	{ "tools", SETTINGS_TOOL },
};

static int print_for(const char *name, void (*print)(enum settings_program, FILE *))
{
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		if (strcmp(programs[i].name, name) == 0) {
			print(programs[i].program, stdout);
			return 0;
		}
	}
	return -1;
}

static int print(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "table") == 0) {
		settings_markdown(stdout);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "mdoc") == 0)
		return print_for(argv[2], settings_mdoc);
	if (argc == 3 && strcmp(argv[1], "example") == 0)
		return print_for(argv[2], settings_example);
	return -1;
}

int main(int argc, char **argv)
{
	if (print(argc, argv) < 0) {
		fputs("usage: settings table | mdoc PROGRAM | example PROGRAM\n", stderr);
		return SETTINGS_EXIT;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
