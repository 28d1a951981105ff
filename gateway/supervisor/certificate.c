#include <string.h>
#include <unistd.h>

#include "gateway/supervisor/parts.h"

enum {
	BOARD_BYTES = 262144, /* as in gateway/tls/tls.h; checked where it is read */
	PIECE_BYTES = 4096
};

int certificate_post(struct supervisor *s, struct why *why)
{
	int r = board_post(&s->certificate, s->key_fds[KEYS_certificate]);

	return r < 0 ? why_set(why, r, "cannot hand the certificate on: %s", strerror(-r))
		     : 0;
}

int certificate_open(struct supervisor *s, struct why *why)
{
	int r = board_make(&s->certificate, BOARD_BYTES, why);

	return r < 0 ? r : certificate_post(s, why);
}

void certificate_close(struct supervisor *s)
{
	board_release(&s->certificate);
}

/* Whether two files hold the same; what cannot be read is not. */
static bool same(int a, int b)
{
	uint8_t of_a[PIECE_BYTES], of_b[PIECE_BYTES];
	off_t at = 0;
	ssize_t n;

	do {
		n = pread(a, of_a, sizeof of_a, at);
		if (n < 0 || pread(b, of_b, sizeof of_b, at) != n ||
		    memcmp(of_a, of_b, (size_t)n) != 0)
			return false;
		at += n;
	} while (n > 0);
	return true;
}

bool certificate_alone(const struct supervisor *s, int settings_fd,
		       const int key_fds[KEYS_FILES])
{
	if (!same(s->settings_fd, settings_fd))
		return false;
	for (unsigned i = 0; i < KEYS_FILES; i++)
		if ((i == KEYS_certificate) == same(s->key_fds[i], key_fds[i]))
			return false;
	return true;
}
