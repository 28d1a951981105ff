/*
 * canary_tls - the canary's end of TLS: the socket's bytes on one side, HTTP's on the
 * other.
 *
 * Touches no socket. The certificate is not judged: this end has the gateway's address
 * from the operator, and names on certificates are those that clients use. How long it
 * lasts is told by the gateway itself.
 */
#ifndef CANARY_TLS_H
#define CANARY_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct canary_tls;

/* NULL without memory. */
struct canary_tls *canary_tls_new(void);
void canary_tls_free(struct canary_tls *tls);

/* Takes what came from the socket (nothing, to begin with), and goes on with the TLS
 * handshake. 1: that is done, 0: it goes on, -EPROTO, -ENOMEM. */
int canary_tls_take(struct canary_tls *tls, const void *data, size_t len);

/* The next bytes for the socket, 0 for none. */
size_t canary_tls_give(struct canary_tls *tls, uint8_t *out, size_t size);

/* Once the handshake is done. read: bytes, 0 for none now, -EPROTO, -EPIPE at the end.
 * write: 0 or -EPROTO; canary_tls_give has more then. */
int canary_tls_read(struct canary_tls *tls, uint8_t *out, size_t size);
int canary_tls_write(struct canary_tls *tls, const void *data, size_t len);

#endif
