/*
 * tls - how TLS is spoken on the port of the clients, and with which certificate.
 *
 * The gateway's one user of openssl/ssl.h. The supervisor reads the files and posts what
 * they hold on a board (gateway/board.h); a worker takes it from there when it starts and
 * whenever there is something new, so that a certificate is replaced without a link being
 * cut: each link shows what was there when its handshake began.
 *
 * TLS 1.2 and 1.3 with forward secrecy only; no renegotiation, no compression.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/why.h"

struct tls;

enum {
	TLS_BOARD_BYTES = 262144 /* that a posting takes at most */
};

/* Reads and checks the files, and returns a new descriptor with a copy of both (close on
 * exec); an empty one where the settings name none. As auth_read_keys. */
int tls_read_files(const struct settings *settings, int *ret_fd, struct why *why);

/* Whether TLS can be served with this text: certificates and key. -EINVAL with the
 * reason, which shows nothing of it. */
int tls_check(const char *text, size_t len, struct why *why);

/* The worker's end, with what the board behind `fd`, which stays the caller's, shows.
 * *ret_tls is NULL where nothing does: the port speaks plainly. */
int tls_new(const struct settings *settings, int fd, struct tls **ret_tls,
	    struct why *why);
void tls_free(struct tls *tls);

/* Looks at the board. 1: there was something new, which new links get; 0: nothing. -errno
 * with the reason: what was there stays. */
int tls_renew(struct tls *tls, struct why *why);

/* When the certificate in use ends, or the first of its chain that does; since 1970. */
int64_t tls_ends_s(const struct tls *tls);

/* ---- for gateway/transport/socket.c, which has these objects from libwebsockets ---- */

/* Makes an SSL_CTX one of ours; it borrows `tls`. -EINVAL. */
int tls_prepare(struct tls *tls, void *ssl_ctx);

/* Whether the handshake of this SSL is done. */
bool tls_is_done(const void *ssl);

/* Says that nothing more is written. */
void tls_say_end(void *ssl);

#endif
