#include "gateway/tls/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/board.h"
#include "gateway/tls/pair.h"

_Static_assert((int)PAIR_TEXT_MAX == (int)TLS_BOARD_BYTES, "a whole posting can be read");

#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20" /* TLS 1.3 has none that is bad */

struct tls {
	int board;
	uint64_t version; /* of the posting in use */
	int version_min;
	struct pair pair;
};

/* ---- one certificate ------------------------------------------------------------- */

/* Whether OpenSSL would serve with it, which asks for some strength. */
static int try_pair(const struct pair *pair, struct why *why)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool serves = context && SSL_CTX_use_cert_and_key(context, pair->certificate,
							  pair->key, pair->chain, 1) == 1;

	SSL_CTX_free(context);
	ERR_clear_error();
	return serves ? 0
		      : why_set(why, -EINVAL,
				"TLS cannot be spoken with such a key or certificate");
}

int tls_check(const char *text, size_t len, struct why *why)
{
	struct pair pair;
	int r = pair_parse(text, len, &pair, why);

	if (r < 0)
		return r;
	r = try_pair(&pair, why);
	pair_release(&pair);
	return r;
}

/* ---- the worker's end ------------------------------------------------------------ */

int tls_renew(struct tls *tls, struct why *why)
{
	char *text = malloc(TLS_BOARD_BYTES);
	struct pair pair;
	size_t len;
	int r;

	if (!text)
		return why_set(why, -ENOMEM, "no memory for a certificate");
	r = board_read(tls->board, &tls->version, text, TLS_BOARD_BYTES, &len);
	if (r < 0)
		why_write(why, "cannot read the certificate: %s", strerror(-r));
	if (r > 0 && len) {
		r = pair_parse(text, len, &pair, why);
		if (r == 0) {
			pair_release(&tls->pair);
			tls->pair = pair;
			r = 1;
		}
	}
	OPENSSL_cleanse(text, TLS_BOARD_BYTES);
	free(text);
	return r;
}

int tls_new(const struct settings *settings, int fd, struct tls **ret_tls,
	    struct why *why)
{
	bool only_13 = strcmp(settings->tls_version_min, "1.3") == 0;
	struct tls *tls;
	int r;

	*ret_tls = NULL;
	if (!*settings->tls_cert_file)
		return 0;
	tls = calloc(1, sizeof *tls);
	if (!tls)
		return why_set(why, -ENOMEM, "no memory for TLS");
	tls->board = fd;
	tls->version_min = only_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
	r = tls_renew(tls, why);
	if (r == 0)
		r = why_set(why, -EIO, "the certificate was not handed on");
	if (r < 0)
		tls_free(tls);
	else
		*ret_tls = tls;
	return r < 0 ? r : 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	pair_release(&tls->pair);
	free(tls);
}

int64_t tls_ends_s(const struct tls *tls)
{
	return tls->pair.ends_s;
}

/* ---- OpenSSL's objects ------------------------------------------------------------ */

/* A handshake begins: it gets what is there now. The context has none of its own, where
 * one with another kind of key would stand beside the new one for ever. */
static int on_hello(SSL *ssl, void *app)
{
	const struct tls *tls = app;

	return SSL_use_cert_and_key(ssl, tls->pair.certificate, tls->pair.key,
				    tls->pair.chain, 1);
}

int tls_prepare(struct tls *tls, void *ssl_ctx)
{
	SSL_CTX *context = ssl_ctx;

	if (SSL_CTX_set_min_proto_version(context, tls->version_min) != 1 ||
	    SSL_CTX_set_cipher_list(context, CIPHERS_12) != 1)
		return -EINVAL;
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_PRIORITIZE_CHACHA);
	/* Without, what a peer sends but data (new keys, again and again) would all be
	 * read in one go. */
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	/* Sessions are resumed by ticket, which costs no memory here. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(context, 1); /* cannot fail before a handshake */
	SSL_CTX_set_cert_cb(context, on_hello, tls);
	return 0;
}

bool tls_is_done(const void *ssl)
{
	return ssl && SSL_is_init_finished(ssl);
}

void tls_say_end(void *ssl)
{
	/* What fails here has ended anyway. */
	if (tls_is_done(ssl))
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
}
