#include "gateway/auth/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void secret_text_free(struct secret_text *text)
{
	if (text)
		OPENSSL_cleanse(text, sizeof *text);
	free(text);
}

/* From the start of the file. Returns new; NULL: errno says why. */
static struct secret_text *read_all(int fd)
{
	struct secret_text *text = calloc(1, sizeof *text);
	ssize_t n = text ? 1 : -1;

	while (n > 0 && text->len < sizeof text->at) {
		n = pread(fd, text->at + text->len, sizeof text->at - text->len,
			  (off_t)text->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			text->len += (size_t)n;
	}
	if (n >= 0)
		return text;
	secret_text_free(text);
	return NULL;
}

/* ---- the file --------------------------------------------------------------------- */

static int check_mode(const struct secret_kind *kind, const char *path, mode_t mode,
		      bool secret, struct why *why)
{
	if (mode & S_IWOTH)
		return why_set(why, -EINVAL,
			       "%s is %s, which everybody may write: whoever does lets "
			       "himself in",
			       kind->setting, path);
	if (secret && mode & S_IROTH)
		return why_set(why, -EINVAL,
			       "%s is %s, which holds a secret and which everybody may "
			       "read: chmod o-r",
			       kind->setting, path);
	return 0;
}

/* Whether what it holds serves, and nobody has it who should not. */
static int check(const struct secret_kind *kind, const char *path,
		 const struct secret_text *text, mode_t mode, struct why *why)
{
	bool secret = true;
	struct why reason;

	if (kind->check(text->at, text->len, &secret, &reason) < 0)
		return why_set(why, -EINVAL, "%s is %s, but %s", kind->setting, path,
			       reason.text);
	return check_mode(kind, path, mode, secret, why);
}

static int cannot_read(const struct secret_kind *kind, const char *path, int error,
		       struct why *why)
{
	return why_set(why, -EINVAL, "%s is %s, which cannot be read: %s", kind->setting,
		       path, strerror(error));
}

static int read_open(const struct secret_kind *kind, int fd, const char *path,
		     struct secret_text **ret_text, struct why *why)
{
	struct secret_text *text;
	struct stat stat;
	int r;

	if (fstat(fd, &stat) < 0)
		return cannot_read(kind, path, errno, why);
	if (!S_ISREG(stat.st_mode))
		return why_set(why, -EINVAL, "%s is %s, which is no file", kind->setting,
			       path);
	text = read_all(fd);
	if (!text)
		return cannot_read(kind, path, errno, why);
	r = check(kind, path, text, stat.st_mode, why);
	if (r < 0)
		secret_text_free(text);
	else
		*ret_text = text;
	return r;
}

int secret_file_read(const struct secret_kind *kind, const char *path,
		     struct secret_text **ret_text, struct why *why)
{
	/* Without waiting for whoever would write into a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

	if (fd < 0)
		return cannot_read(kind, path, errno, why);
	r = read_open(kind, fd, path, ret_text, why);
	close(fd);
	return r;
}

/* ---- the copy --------------------------------------------------------------------- */

int secret_text_share(const struct secret_text *text, int *ret_fd, struct why *why)
{
	int fd = memfd_create("parley-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t len = text ? text->len : 0, done = 0;
	ssize_t n = fd < 0 ? -1 : 0;

	while (n >= 0 && done < len) {
		n = write(fd, text->at + done, len - done);
		if (n > 0)
			done += (size_t)n;
	}
	/* No worker that somebody took over puts a key of his own into it. */
	if (n >= 0 && fcntl(fd, F_ADD_SEALS,
			    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		n = -1;
	if (n >= 0) {
		*ret_fd = fd;
		return 0;
	}
	n = -errno;
	if (fd >= 0)
		close(fd);
	return why_set(why, (int)n, "cannot hand keys on: %s", strerror(-(int)n));
}

int secret_file_copy(const struct secret_kind *kind, const char *path, int *ret_fd,
		     struct why *why)
{
	struct secret_text *text = NULL;
	int r = path ? secret_file_read(kind, path, &text, why) : 0;

	if (r == 0)
		r = secret_text_share(text, ret_fd, why);
	secret_text_free(text);
	return r;
}

int secret_file_read_copy(int fd, struct secret_text **ret_text, struct why *why)
{
	struct secret_text *text = read_all(fd);

	if (!text)
		return why_set(why, -EIO, "cannot read the inherited keys");
	*ret_text = text;
	return 0;
}
