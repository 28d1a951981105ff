#include "gateway/store/postgres_words.h"

#include <errno.h>
#include <string.h>

/* By their first characters; the first that fits. */
static const struct {
	const char *sqlstate;
	int error;
} errors[] = {
	{ "08", -ENOTCONN },     /* connection exceptions */
	{ "23502", -ESTALE },    /* not null */
	{ "23505", -EEXIST },    /* unique */
	{ "25006", -ENOTCONN },  /* read-only: it has become a standby */
	{ "3F000", -ENOENT },    /* no such schema */
	{ "40001", -EAGAIN },    /* serialization */
	{ "40P01", -EAGAIN },    /* deadlock */
	{ "42P01", -ENOENT },    /* no such table */
	{ "53100", -ENOSPC },    /* disk full */
	{ "57014", -ETIMEDOUT }, /* statement_timeout, which is our deadline */
	{ "57P", -ENOTCONN },    /* shutting down, crashed, starting up */
};

int pgwords_errno(const char *sqlstate)
{
	for (unsigned i = 0; sqlstate && i < sizeof errors / sizeof errors[0]; i++)
		if (strncmp(sqlstate, errors[i].sqlstate, strlen(errors[i].sqlstate)) ==
		    0)
			return errors[i].error;
	return -EIO;
}

void pgwords_line(const char *words, char *line, size_t size)
{
	size_t n = 0;

	for (; *words && n + 1 < size; words++) {
		unsigned char c = *words;

		if (c > ' ' && c != 0x7f)
			line[n++] = *words;
		else if (n > 0 && line[n - 1] != ' ')
			line[n++] = ' ';
	}
	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
}
