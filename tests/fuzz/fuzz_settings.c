/* Any file is read or refused; what was read prints as text that reads the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/settings.h"

static const enum settings_program programs[] = { SETTINGS_GATEWAY, SETTINGS_HEALTHD,
						  SETTINGS_TOOL };

static char *print_all(const struct settings *settings, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	CHECK(out);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		CHECK(settings_write(settings, programs[i], out) == 0);
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings, again;
	struct why why = { "" };
	size_t len = 0;
	char *text;

	settings_defaults(&settings);
	if (settings_read_text(&settings, (const char *)data, size, "fuzz", &why) < 0) {
		CHECK(*why.text);
		return 0;
	}
	text = print_all(&settings, &len);
	settings_defaults(&again);
	CHECK(settings_read_text(&again, text, len, "print", &why) == 0);
	free(text);
	/* Field by field: what lies behind the end of a text is not the setting. */
#define TEXT(field, NAME, p, size_, def, help) \
	CHECK(strcmp(settings.field, again.field) == 0);
#define NUMBER(field, NAME, p, unit, min, max, def, help) \
	CHECK(settings.field == again.field);
#define CHOICE(field, NAME, p, choices, def, help) \
	CHECK(strcmp(settings.field, again.field) == 0);
#include "common/settings.def"
#undef TEXT
#undef NUMBER
#undef CHOICE
	return 0;
}
