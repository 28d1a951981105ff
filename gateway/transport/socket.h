/*
 * socket - sockets on libwebsockets' raw role; the one user of that library.
 *
 * libwebsockets is a guest on our libuv loop and owns each socket from
 * socket_adopt on: reading, partial writes, life cycle. Bytes go up through three
 * callbacks. Each socket carries zeroed memory of the user's, which is good from
 * socket_adopt until closed() returns.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/why.h"

struct socket_layer;
struct socket;

struct socket_events {
	size_t user_size;
	/* Bytes arrived; `data` is the layer's one buffer and may be written to. */
	void (*received)(void *user, uint8_t *data, size_t len);
	/* What was behind has left for the kernel. */
	void (*writeable)(void *user);
	/* The peer is gone or we closed; the last that is heard of this socket. */
	void (*closed)(void *user);
};

/* With `tls`, which is borrowed, every socket speaks it, and nothing else is heard of a
 * peer that does not. */
struct tls;
int socket_layer_new(uv_loop_t *loop, const struct socket_events *events, struct tls *tls,
		     struct socket_layer **ret_layer, struct why *why);

/* Closes every socket; closed() is called for each before this returns. The memory
 * is given back by socket_layer_free, after the loop has run the closes. */
void socket_layer_close(struct socket_layer *layer);
void socket_layer_free(struct socket_layer *layer);

/* Takes the descriptor, also when it fails. *ret_user is zeroed memory. */
int socket_adopt(struct socket_layer *layer, int fd, struct socket **ret_socket,
		 void **ret_user);

/*
 * Writes all of it: what the kernel does not take is copied and goes out by itself.
 * That copy has no bound, so look at socket_behind first and write more only when
 * it says no. -EPIPE: the socket is dead and will close by itself.
 */
int socket_write(struct socket *socket, const void *data, size_t len);

/* Whether bytes can be exchanged: false before the end of a TLS handshake. */
bool socket_is_open(struct socket *socket);

/* Whether earlier bytes still wait; if so writeable() is called when they have gone. */
bool socket_behind(struct socket *socket);

/* Stops or resumes reading. */
void socket_pause(struct socket *socket, bool pause);

/* No more writing: the peer reads to the end and then sees the close. */
void socket_finish(struct socket *socket);

/* Ends both ways at once; closed() comes from the loop, never from within. */
void socket_kill(struct socket *socket);

#endif
