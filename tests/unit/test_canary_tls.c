/* The canary's end of TLS against OpenSSL's other one, in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#include "healthd/canary_tls.h"

static SSL_CTX *context;
static SSL *server;
static struct canary_tls *tls;

/* A certificate of nobody, which the canary takes. */
static X509 *certificate(EVP_PKEY *key)
{
	X509 *x509 = X509_new();

	assert_non_null(x509);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
	X509_gmtime_adj(X509_getm_notAfter(x509), -3600); /* it has ended, too */
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

static int set_up(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = certificate(key);

	context = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(context, x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	server = SSL_new(context);
	SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(server);
	X509_free(x509);
	EVP_PKEY_free(key);
	tls = canary_tls_new();
	assert_non_null(tls);
	return 0;
}

static int tear_down(void **state)
{
	canary_tls_free(tls);
	canary_tls_free(NULL);
	SSL_free(server);
	SSL_CTX_free(context);
	return 0;
}

static void to_server(void)
{
	uint8_t bytes[64];
	size_t len;

	while ((len = canary_tls_give(tls, bytes, sizeof bytes)) > 0)
		assert_int_equal(BIO_write(SSL_get_rbio(server), bytes, (int)len), len);
}

/* What the server has, in pieces; what the last of them came to. */
static int to_canary(void)
{
	uint8_t bytes[50];
	int len, rc = 0;

	while ((len = BIO_read(SSL_get_wbio(server), bytes, sizeof bytes)) > 0)
		rc = canary_tls_take(tls, bytes, (size_t)len);
	return rc;
}

static void shake_hands(void)
{
	int rc = canary_tls_take(tls, NULL, 0);

	assert_int_equal(rc, 0);
	for (unsigned i = 0; i < 10 && rc == 0; i++) {
		to_server();
		(void)SSL_do_handshake(server); /* goes on with what is there */
		rc = to_canary();
	}
	assert_int_equal(rc, 1);
	to_server();
	assert_int_equal(SSL_do_handshake(server), 1);
}

static void what_is_said_is_heard_on_the_other_side(void **state)
{
	uint8_t heard[64];

	shake_hands();
	assert_int_equal(canary_tls_read(tls, heard, sizeof heard), 0);
	assert_int_equal(canary_tls_write(tls, "hello", 5), 0);
	to_server();
	assert_int_equal(SSL_read(server, heard, sizeof heard), 5);
	assert_memory_equal(heard, "hello", 5);
	assert_int_equal(SSL_write(server, "welcome", 7), 7);
	assert_int_equal(to_canary(), 1);
	assert_int_equal(canary_tls_read(tls, heard, 3), 3);
	assert_int_equal(canary_tls_read(tls, heard + 3, sizeof heard - 3), 4);
	assert_memory_equal(heard, "welcome", 7);
	assert_int_equal(canary_tls_read(tls, heard, sizeof heard), 0);
}

static void the_end_is_told_from_a_breach(void **state)
{
	uint8_t heard[64];

	shake_hands();
	(void)SSL_shutdown(server); /* says that it ends */
	(void)to_canary();
	assert_int_equal(canary_tls_read(tls, heard, sizeof heard), -EPIPE);
}

static void what_is_no_tls_is_a_breach(void **state)
{
	static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	assert_int_equal(canary_tls_take(tls, NULL, 0), 0);
	assert_int_equal(canary_tls_take(tls, plain, strlen(plain)), -EPROTO);
	assert_int_equal(canary_tls_write(tls, "x", 1), -EPROTO);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_said_is_heard_on_the_other_side),
		TEST(the_end_is_told_from_a_breach),
		TEST(what_is_no_tls_is_a_breach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
