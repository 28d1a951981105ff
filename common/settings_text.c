#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings_table.h"

enum {
	FILE_MAX = 65536, /* bytes; ten times all settings with long values */
};

/* One line of the file, where it is read from, and who asked. */
struct line {
	const char *at, *end;
	const char *label; /* "FILE, line 3" */
	struct why *why;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(struct line *line)
{
	while (line->at < line->end && is_blank(*line->at))
		line->at++;
	while (line->end > line->at && is_blank(line->end[-1]))
		line->end--;
}

/* The next character of a value, its backslash undone as systemd does it. */
static int unescape(struct line *line, char quote)
{
	char c = *line->at++;

	if (c != '\\' || quote == '\'')
		return (unsigned char)c;
	if (line->at == line->end)
		return why_set(line->why, -EINVAL,
			       "%s ends in a backslash; a value is one line",
			       line->label);
	if (quote == '"' && !strchr("\"\\`$", *line->at))
		return (unsigned char)c; /* the backslash stands for itself */
	return (unsigned char)*line->at++;
}

/* What is right of the equals sign, without its quotes. */
static int read_value(struct line *line, char out[SETTING_VALUE_SIZE])
{
	char quote = '\0';
	size_t len = 0;

	if (line->at < line->end && (*line->at == '"' || *line->at == '\''))
		quote = *line->at++;
	while (line->at < line->end && !(quote && *line->at == quote)) {
		int c = unescape(line, quote);

		if (c < 0)
			return c;
		if (c == '\0')
			return why_set(line->why, -EINVAL, "%s holds a zero byte",
				       line->label);
		if (len + 1 >= SETTING_VALUE_SIZE)
			return why_set(line->why, -ENAMETOOLONG, "%s is too long",
				       line->label);
		out[len++] = (char)c;
	}
	out[len] = '\0';
	if (!quote)
		return 0;
	if (line->at == line->end)
		return why_set(line->why, -EINVAL, "%s has a quote that is not closed",
			       line->label);
	if (line->at + 1 != line->end)
		return why_set(line->why, -EINVAL, "%s has text after the closing quote",
			       line->label);
	return 0;
}

static int read_line(struct settings *settings, unsigned programs, struct line *line)
{
	const char *equals;
	struct line name = *line;
	char variable[SETTING_NAME_SIZE];
	char value[SETTING_VALUE_SIZE];
	char label[2 * SETTING_NAME_SIZE + 128];
	const struct setting *setting;
	int rc;

	trim(line);
	if (line->at == line->end || *line->at == '#' || *line->at == ';')
		return 0;
	equals = memchr(line->at, '=', (size_t)(line->end - line->at));
	if (!equals)
		return why_set(line->why, -EINVAL, "%s is not of the form NAME=value",
			       line->label);
	name.at = line->at;
	name.end = equals;
	trim(&name);
	snprintf(variable, sizeof variable, "%.*s", (int)(name.end - name.at), name.at);
	snprintf(label, sizeof label, "%s in %s", variable, line->label);
	setting = setting_by_variable(variable);
	if (!setting)
		return setting_unknown(variable, label, line->why);

	line->at = equals + 1;
	trim(line);
	rc = read_value(line, value);
	if (rc < 0 || !(setting->programs & programs))
		return rc;
	return setting_put(setting, settings, value, label, line->why);
}

int setting_read_text(struct settings *settings, unsigned programs, const char *text,
		      size_t len, const char *origin, struct why *why)
{
	const char *end = text + len;
	unsigned number = 1;

	for (const char *at = text; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		char label[SETTING_NAME_SIZE + 64];
		struct line line = { .at = at, .label = label, .why = why };
		int rc;

		line.end = newline ? newline : end;
		snprintf(label, sizeof label, "%.96s, line %u", origin, number);
		rc = read_line(settings, programs, &line);
		if (rc < 0)
			return rc;
		at = newline ? newline + 1 : end;
	}
	return 0;
}

int settings_read_text(struct settings *settings, const char *text, size_t len,
		       const char *origin, struct why *why)
{
	return setting_read_text(settings, SETTING_ALL, text, len, origin, why);
}

int setting_read_fd(struct settings *settings, unsigned programs, int fd,
		    const char *origin, struct why *why)
{
	char *text = malloc(FILE_MAX + 1);
	size_t len = 0;
	int rc = 0;

	if (!text)
		return why_set(why, -ENOMEM, "no memory to read %s", origin);
	/* At offsets of our own: the descriptor may be shared between processes. */
	while (len <= FILE_MAX) {
		ssize_t n = pread(fd, text + len, FILE_MAX + 1 - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = why_set(why, -errno, "cannot read %s: %s", origin,
				     strerror(errno));
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (rc == 0 && len > FILE_MAX)
		rc = why_set(why, -EFBIG, "%s is longer than %d bytes", origin, FILE_MAX);
	if (rc == 0)
		rc = setting_read_text(settings, programs, text, len, origin, why);
	free(text);
	return rc;
}

int settings_read_fd(struct settings *settings, int fd, const char *origin,
		     struct why *why)
{
	return setting_read_fd(settings, SETTING_ALL, fd, origin, why);
}
