/*
 * secret_file - a file with secrets, and the copy of it that children inherit.
 *
 * The supervisor reads it when the gateway starts and when it is told to reload, and
 * hands a copy on, which nobody can change: a file that is half written or bad harms no
 * worker that starts meanwhile.
 */
#ifndef SECRET_FILE_H
#define SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/why.h"

enum {
	SECRET_TEXT_MAX = 262144 /* bytes of a file */
};

/* What was read, with one byte more than may be, so that too much is seen. */
struct secret_text {
	size_t len;
	char at[SECRET_TEXT_MAX + 1];
};

struct secret_kind {
	const char *setting; /* that names the file, for sentences */
	/* Whether the text serves; -EINVAL with the reason, which shows nothing of it.
	 * *ret_secret: whether nobody else may read the file. */
	int (*check)(const char *text, size_t len, bool *ret_secret, struct why *why);
};

/* Reads and checks a file; returns new text. -EINVAL with the reason, which names the
 * setting: not there, no regular file, nothing that serves, or readable by everybody with
 * a secret in it, or writable by everybody. */
int secret_file_read(const struct secret_kind *kind, const char *path,
		     struct secret_text **ret_text, struct why *why);

/* Returns a new descriptor with a copy (close on exec), an empty one for NULL. */
int secret_text_share(const struct secret_text *text, int *ret_fd, struct why *why);

/* Both at once; an empty copy for no path. */
int secret_file_copy(const struct secret_kind *kind, const char *path, int *ret_fd,
		     struct why *why);

/* Returns new what such a copy holds, from its start; the descriptor stays the caller's.
 */
int secret_file_read_copy(int fd, struct secret_text **ret_text, struct why *why);

/* Wipes it, too. */
void secret_text_free(struct secret_text *text);

#endif
