/* Certificates and keys are read strictly, and exchanged while links live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/board.h"
#include "gateway/tls/pair.h"
#include "gateway/tls/tls.h"

enum {
	DAY_S = 86400,
	TEXT_SIZE = 65536
};

static char text[TEXT_SIZE];
static struct why why;

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static X509 *new_certificate(EVP_PKEY *key, long ends_in_s)
{
	X509 *x509 = X509_new();

	assert_non_null(x509);
	X509_set_version(x509, 2);
	X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(x509), ends_in_s);
	X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

/* Each appends to `text`. */
static void append(BIO *bio)
{
	size_t len = strlen(text);
	int n = BIO_read(bio, text + len, (int)(TEXT_SIZE - len - 1));

	assert_true(n > 0);
	text[len + (size_t)n] = 0;
	BIO_free(bio);
}

static void append_certificate(EVP_PKEY *key, long ends_in_s)
{
	X509 *x509 = new_certificate(key, ends_in_s);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	append(bio);
	X509_free(x509);
}

static void append_key(EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int r = PEM_write_bio_PKCS8PrivateKey(
		bio, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
		passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);

	assert_int_equal(r, 1);
	append(bio);
}

static int setup(void **state)
{
	*state = new_key();
	text[0] = 0;
	return 0;
}

static int teardown(void **state)
{
	EVP_PKEY_free(*state);
	return 0;
}

static void assert_refused(const char *words)
{
	assert_int_equal(tls_check(text, strlen(text), &why), -EINVAL);
	if (!strstr(why.text, words))
		fail_msg("%s", why.text);
}

/* ---- reading ---------------------------------------------------------------------- */

static void a_chain_ends_with_the_first_of_it(void **state)
{
	struct pair pair;
	int64_t now_s = (int64_t)time(NULL);

	append_certificate(*state, 90 * DAY_S);
	append_certificate(*state, 30 * DAY_S);
	append_certificate(*state, 900 * DAY_S);
	append_key(*state, NULL);
	assert_int_equal(tls_check(text, strlen(text), &why), 0);
	assert_int_equal(pair_parse(text, strlen(text), &pair, &why), 0);
	assert_int_equal(sk_X509_num(pair.chain), 2);
	assert_in_range(pair.ends_s, now_s + 30 * DAY_S - 60, now_s + 30 * DAY_S + 60);
	pair_release(&pair);
}

static void what_has_expired_is_served_all_the_same(void **state)
{
	append_certificate(*state, -60);
	append_key(*state, NULL);
	assert_int_equal(tls_check(text, strlen(text), &why), 0);
}

static void what_is_not_a_pair_is_refused_with_a_sentence(void **state)
{
	EVP_PKEY *other = new_key();

	assert_refused("no certificate");
	strcpy(text, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
	assert_refused("cannot be read");
	text[0] = 0;
	append_certificate(*state, DAY_S);
	assert_refused("no private key");
	append_key(other, NULL);
	assert_refused("not that of the certificate");
	text[0] = 0;
	append_certificate(*state, DAY_S);
	append_key(*state, "secret");
	assert_refused("passphrase");
	assert_null(strstr(why.text, "secret"));
	EVP_PKEY_free(other);
}

static void a_weak_key_is_refused(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024);

	append_certificate(weak, DAY_S);
	append_key(weak, NULL);
	assert_refused("such a key");
	EVP_PKEY_free(weak);
}

static void a_chain_has_a_bound(void **state)
{
	for (int i = 0; i < PAIR_CHAIN_MAX + 2; i++)
		append_certificate(*state, DAY_S);
	append_key(*state, NULL);
	assert_refused("more than 17 certificates");
}

static void every_beginning_of_a_good_text_is_refused_or_good(void **state)
{
	size_t len;

	append_certificate(*state, DAY_S);
	append_key(*state, NULL);
	len = strlen(text);
	for (size_t n = 0; n < len - 1; n++) {
		char *copy = malloc(n + 1); /* so that a sanitizer sees its end */

		memcpy(copy, text, n);
		assert_int_equal(tls_check(copy, n, &why), -EINVAL);
		free(copy);
	}
}

/* ---- the worker's end ------------------------------------------------------------- */

static void post(struct board *board)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(board_post(board, fd), 0);
	close(fd);
}

static void a_worker_takes_what_is_new_and_keeps_what_is_good(void **state)
{
	struct settings settings;
	struct board board;
	struct tls *tls;
	int64_t now_s = (int64_t)time(NULL);

	settings_defaults(&settings);
	assert_int_equal(board_make(&board, TLS_BOARD_BYTES, &why), 0);
	assert_int_equal(tls_new(&settings, board.fd, &tls, &why), 0);
	assert_null(tls); /* none is set */
	strcpy(settings.tls_cert_file, "x");
	assert_int_equal(tls_new(&settings, board.fd, &tls, &why), -EIO);

	append_certificate(*state, 90 * DAY_S);
	append_key(*state, NULL);
	post(&board);
	assert_int_equal(tls_new(&settings, board.fd, &tls, &why), 0);
	assert_in_range(tls_ends_s(tls), now_s + 89 * DAY_S, now_s + 91 * DAY_S);
	assert_int_equal(tls_renew(tls, &why), 0);

	text[0] = 0;
	append_certificate(*state, 10 * DAY_S);
	append_key(*state, NULL);
	post(&board);
	assert_int_equal(tls_renew(tls, &why), 1);
	assert_in_range(tls_ends_s(tls), now_s + 9 * DAY_S, now_s + 11 * DAY_S);

	strcpy(text, "nonsense");
	post(&board);
	assert_int_equal(tls_renew(tls, &why), -EINVAL);
	assert_in_range(tls_ends_s(tls), now_s + 9 * DAY_S, now_s + 11 * DAY_S);
	assert_int_equal(tls_renew(tls, &why), 0); /* told once */
	tls_free(tls);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_chain_ends_with_the_first_of_it),
		TEST(what_has_expired_is_served_all_the_same),
		TEST(what_is_not_a_pair_is_refused_with_a_sentence),
		TEST(a_weak_key_is_refused),
		TEST(a_chain_has_a_bound),
		TEST(every_beginning_of_a_good_text_is_refused_or_good),
		TEST(a_worker_takes_what_is_new_and_keeps_what_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
