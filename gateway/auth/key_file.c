#include "gateway/auth/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTING "PARLEY_JWT_KEY_FILE"

/* What was read, with one byte more than may be, so that too much is seen. */
struct bytes {
	size_t len;
	char at[KEYS_TEXT_MAX + 1];
};

static void bytes_free(struct bytes *bytes)
{
	if (bytes)
		OPENSSL_cleanse(bytes, sizeof *bytes);
	free(bytes);
}

/* From the start of the file. Returns new; NULL: errno says why. */
static struct bytes *bytes_read(int fd)
{
	struct bytes *bytes = calloc(1, sizeof *bytes);
	ssize_t n = bytes ? 1 : -1;

	while (n > 0 && bytes->len < sizeof bytes->at) {
		n = pread(fd, bytes->at + bytes->len, sizeof bytes->at - bytes->len,
			  (off_t)bytes->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			bytes->len += (size_t)n;
	}
	if (n >= 0)
		return bytes;
	bytes_free(bytes);
	return NULL;
}

/* ---- the file --------------------------------------------------------------------- */

static int check_mode(const char *path, mode_t mode, bool secret, struct why *why)
{
	if (mode & S_IWOTH)
		return why_set(why, -EINVAL,
			       SETTING " is %s, which everybody may write: whoever does "
				       "lets himself in",
			       path);
	if (secret && mode & S_IROTH)
		return why_set(why, -EINVAL,
			       SETTING " is %s, which holds a secret and which everybody "
				       "may read: chmod o-r",
			       path);
	return 0;
}

/* Whether what it holds are keys that serve, and nobody has them who should not. */
static int check(const char *path, const struct bytes *bytes, mode_t mode,
		 struct why *why)
{
	struct keys *keys = NULL;
	struct why reason;
	int r = keys_parse(bytes->at, bytes->len, &keys, &reason);

	if (r < 0)
		return why_set(why, -EINVAL, SETTING " is %s, but %s", path, reason.text);
	r = check_mode(path, mode, keys_secret(keys), why);
	keys_free(keys);
	return r;
}

static int cannot_read(const char *path, int error, struct why *why)
{
	return why_set(why, -EINVAL, SETTING " is %s, which cannot be read: %s", path,
		       strerror(error));
}

static int read_open(int fd, const char *path, struct bytes **ret_bytes, struct why *why)
{
	struct bytes *bytes;
	struct stat stat;
	int r;

	if (fstat(fd, &stat) < 0)
		return cannot_read(path, errno, why);
	if (!S_ISREG(stat.st_mode))
		return why_set(why, -EINVAL, SETTING " is %s, which is no file", path);
	bytes = bytes_read(fd);
	if (!bytes)
		return cannot_read(path, errno, why);
	r = check(path, bytes, stat.st_mode, why);
	if (r < 0)
		bytes_free(bytes);
	else
		*ret_bytes = bytes;
	return r;
}

static int read_checked(const char *path, struct bytes **ret_bytes, struct why *why)
{
	/* Without waiting for whoever would write into a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

	if (fd < 0)
		return cannot_read(path, errno, why);
	r = read_open(fd, path, ret_bytes, why);
	close(fd);
	return r;
}

/* ---- the copy --------------------------------------------------------------------- */

static int make_copy(const struct bytes *bytes, int *ret_fd, struct why *why)
{
	int fd = memfd_create("parley-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t len = bytes ? bytes->len : 0, done = 0;
	ssize_t n = fd < 0 ? -1 : 0;

	while (n >= 0 && done < len) {
		n = write(fd, bytes->at + done, len - done);
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

int key_file_copy(const char *path, int *ret_fd, struct why *why)
{
	struct bytes *bytes = NULL;
	int r = path ? read_checked(path, &bytes, why) : 0;

	if (r == 0)
		r = make_copy(bytes, ret_fd, why);
	bytes_free(bytes);
	return r;
}

int key_file_read_copy(int fd, struct keys **ret_keys, struct why *why)
{
	struct bytes *bytes = bytes_read(fd);
	int r;

	if (!bytes)
		return why_set(why, -EIO, "cannot read the inherited keys");
	r = keys_parse(bytes->at, bytes->len, ret_keys, why);
	bytes_free(bytes);
	return r;
}
