#include "gateway/transport/socket.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "gateway/tls/tls.h"

enum {
	READ_BYTES = 65536,        /* one buffer for all sockets */
	WRITE_BYTES = 1024 * 1024, /* most that one send() is offered */
	NEVER_S = 3600,            /* deadlines are ours; see on_received */
};

struct socket_layer {
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct socket_events events;
	struct tls *tls;
	struct lws_protocols protocols[2];
};

/* A socket is a struct lws to this file only. */
static struct lws *to_lws(struct socket *socket)
{
	return (struct lws *)socket;
}

static const struct socket_layer *layer_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

static const struct socket_events *events_of(struct lws *wsi)
{
	return &layer_of(wsi)->events;
}

/* 4.1 closes a link some time after its TLS handshake, whatever it does meanwhile: 4.3
 * takes that time-out back, here it is done for it. */
static void on_received(struct lws *wsi, void *user, void *in, size_t len)
{
	if (layer_of(wsi)->tls)
		lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	events_of(wsi)->received(user, in, len);
}

static void on_writeable(struct lws *wsi, void *user)
{
	if (lws_partial_buffered(wsi))
		lws_callback_on_writable(wsi);
	else
		events_of(wsi)->writeable(user);
}

/* The reasons that the raw role has for us; all others mean nothing here. */
static int on_reason(struct lws *wsi, enum lws_callback_reasons reason, void *user,
		     void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_RAW_RX: on_received(wsi, user, in, len); break;
	case LWS_CALLBACK_RAW_WRITEABLE: on_writeable(wsi, user); break;
	case LWS_CALLBACK_RAW_CLOSE: events_of(wsi)->closed(user); break;
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		return tls_prepare(layer_of(wsi)->tls, user);
	default: break;
	}
	return 0;
}

static void on_lws_log(int level, const char *line)
{
	char quoted[200];

	(void)level;
	LOG(warning, "libwebsockets said=%s", log_quote(line, quoted, sizeof quoted));
}

int socket_layer_new(uv_loop_t *loop, const struct socket_events *events, struct tls *tls,
		     struct socket_layer **ret_layer, struct why *why)
{
	void *loops[] = { loop };
	struct socket_layer *layer = calloc(1, sizeof *layer);
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.foreign_loops = loops,
		.pt_serv_buf_size = READ_BYTES,
		.timeout_secs = NEVER_S,
		.alpn = "http/1.1",
		.vhost_name = "gateway",
		.user = layer,
		.pcontext = layer ? &layer->context : NULL,
	};

	if (!layer)
		return why_set(why, -ENOMEM, "no memory for the socket layer");
	layer->events = *events;
	layer->tls = tls;
	if (tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
	layer->protocols[0] = (struct lws_protocols){
		.name = "link",
		.callback = on_reason,
		.per_session_data_size = events->user_size,
		.tx_packet_size = WRITE_BYTES,
	};
	info.protocols = layer->protocols;
	lws_set_log_level(LLL_ERR, on_lws_log);
	layer->context = lws_create_context(&info);
	if (layer->context)
		layer->vhost = lws_create_vhost(layer->context, &info);
	if (!layer->vhost) {
		socket_layer_close(layer);
		socket_layer_free(layer);
		return why_set(why, -EIO, "libwebsockets refuses to start on this loop");
	}
	*ret_layer = layer;
	return 0;
}

void socket_layer_close(struct socket_layer *layer)
{
	if (layer->context)
		lws_context_destroy(layer->context);
}

void socket_layer_free(struct socket_layer *layer)
{
	if (!layer)
		return;
	/* On a foreign loop 4.1 wants to be called again once its handles are gone;
	 * later versions may be done already and have cleared the pointer. */
	if (layer->context)
		lws_context_destroy(layer->context);
	free(layer);
}

int socket_adopt(struct socket_layer *layer, int fd, struct socket **ret_socket,
		 void **ret_user)
{
	lws_adoption_type type = LWS_ADOPT_SOCKET;
	lws_sock_file_fd_type given = { .sockfd = fd };
	struct lws *wsi;

	if (layer->tls)
		type |= LWS_ADOPT_ALLOW_SSL;
	wsi = lws_adopt_descriptor_vhost(layer->vhost, type, given, "link", NULL);
	if (!wsi)
		return -ENOMEM; /* libwebsockets has closed the descriptor */
	if (layer->tls)
		lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* its list is a slow one */
	*ret_socket = (struct socket *)wsi;
	*ret_user = lws_wsi_user(wsi);
	CHECK(*ret_user);
	memset(*ret_user, 0, layer->events.user_size);
	return 0;
}

/* The SSL of a socket that speaks TLS, else NULL. */
static void *ssl_of(struct socket *socket)
{
	return lws_get_ssl(to_lws(socket));
}

/* Gives the kernel what it takes at once, without the way through lws_write. Returns how
 * much that was: 0 also when it failed, which lws_write meets, too. */
static size_t send_directly(struct socket *socket, const void *data, size_t len)
{
	ssize_t n = send(lws_get_socket_fd(to_lws(socket)), data,
			 len < WRITE_BYTES ? len : WRITE_BYTES,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? 0 : (size_t)n;
}

int socket_write(struct socket *socket, const void *data, size_t len)
{
	/* lws_write takes a pointer to non-const but does not change raw bytes. */
	unsigned char *bytes = (unsigned char *)(uintptr_t)data;
	/* Then these bytes wait behind the rest of others, of which it says how many it
	 * sent: 0, when the peer reads nothing. */
	bool waits = lws_partial_buffered(to_lws(socket));
	size_t sent = waits || ssl_of(socket) ? 0 : send_directly(socket, data, len);
	int written;

	if (sent == len)
		return 0;
	bytes += sent;
	len -= sent;
	written = lws_write(to_lws(socket), bytes, len, LWS_WRITE_RAW);
	if (written >= 0 && (waits || (size_t)written == len))
		return 0;
	socket_kill(socket);
	return -EPIPE;
}

bool socket_is_open(struct socket *socket)
{
	return !layer_of(to_lws(socket))->tls || tls_is_done(ssl_of(socket));
}

bool socket_behind(struct socket *socket)
{
	if (!lws_partial_buffered(to_lws(socket)))
		return false;
	lws_callback_on_writable(to_lws(socket));
	return true;
}

void socket_pause(struct socket *socket, bool pause)
{
	/* Fails only for a socket that is closing already. */
	(void)lws_rx_flow_control(to_lws(socket), pause ? 0 : 1);
}

void socket_finish(struct socket *socket)
{
	if (ssl_of(socket))
		tls_say_end(ssl_of(socket));
	/* A socket that is not connected any more closes by itself. */
	(void)shutdown(lws_get_socket_fd(to_lws(socket)), SHUT_WR);
}

void socket_kill(struct socket *socket)
{
	/* The loop reads the end of the stream and closes: it must be reading. */
	(void)shutdown(lws_get_socket_fd(to_lws(socket)), SHUT_RDWR);
	socket_pause(socket, false);
}
