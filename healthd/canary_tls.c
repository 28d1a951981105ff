#include "healthd/canary_tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct canary_tls {
	SSL_CTX *context;
	SSL *ssl;      /* owns both */
	BIO *in, *out; /* memory */
};

/* A context for each connection: there is one in a while. */
struct canary_tls *canary_tls_new(void)
{
	struct canary_tls *tls = calloc(1, sizeof *tls);

	if (!tls)
		return NULL;
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL); /* or the next fails */
	tls->context = SSL_CTX_new(TLS_client_method());
	tls->ssl = tls->context ? SSL_new(tls->context) : NULL;
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		SSL_free(tls->ssl);
		SSL_CTX_free(tls->context);
		free(tls);
		return NULL;
	}
	SSL_set_verify(tls->ssl, SSL_VERIFY_NONE, NULL);
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

void canary_tls_free(struct canary_tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	free(tls);
}

/* What a call that did not do all came to. */
static int outcome(struct canary_tls *tls, int rc)
{
	int why = SSL_get_error(tls->ssl, rc);

	ERR_clear_error();
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	return why == SSL_ERROR_ZERO_RETURN ? -EPIPE : -EPROTO;
}

int canary_tls_take(struct canary_tls *tls, const void *data, size_t len)
{
	int rc;

	if (len > INT_MAX || (len && BIO_write(tls->in, data, (int)len) != (int)len))
		return -ENOMEM;
	ERR_clear_error();
	rc = SSL_do_handshake(tls->ssl);
	return rc == 1 ? 1 : outcome(tls, rc);
}

size_t canary_tls_give(struct canary_tls *tls, uint8_t *out, size_t size)
{
	int len = BIO_read(tls->out, out, size > INT_MAX ? INT_MAX : (int)size);

	return len > 0 ? (size_t)len : 0;
}

int canary_tls_read(struct canary_tls *tls, uint8_t *out, size_t size)
{
	int len;

	if (!size)
		return 0;
	ERR_clear_error();
	len = SSL_read(tls->ssl, out, size > INT_MAX ? INT_MAX : (int)size);
	return len > 0 ? len : outcome(tls, len);
}

int canary_tls_write(struct canary_tls *tls, const void *data, size_t len)
{
	ERR_clear_error();
	return len && len <= INT_MAX && SSL_write(tls->ssl, data, (int)len) == (int)len
		       ? 0
		       : -EPROTO;
}
