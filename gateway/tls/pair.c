#include "gateway/tls/pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

#define KEY_MARK "PRIVATE KEY-----" /* ends the line before any */

void pair_release(struct pair *pair)
{
	X509_free(pair->certificate);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
	memset(pair, 0, sizeof *pair);
}

/* A key with a passphrase cannot be read by a service: nobody is there to type it. */
static int no_passphrase(char *out, int size, int writing, void *app)
{
	return -1;
}

static BIO *open_text(const char *text, size_t len, struct why *why)
{
	BIO *bio = NULL;

	if (len > PAIR_TEXT_MAX)
		why_write(why, "it is longer than %d bytes", PAIR_TEXT_MAX);
	else if (!(bio = BIO_new_mem_buf(text, (int)len)))
		why_write(why, "there is no memory");
	return bio;
}

/* ---- certificates ---------------------------------------------------------------- */

static int64_t ends_s(const X509 *certificate)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* Takes the certificate in any case. */
static int add(struct pair *pair, X509 *certificate, struct why *why)
{
	int64_t ends = ends_s(certificate);

	if (!pair->certificate || ends < pair->ends_s)
		pair->ends_s = ends;
	if (!pair->certificate) {
		pair->certificate = certificate;
		return 0;
	}
	if (!pair->chain)
		pair->chain = sk_X509_new_null();
	if (pair->chain && sk_X509_num(pair->chain) < PAIR_CHAIN_MAX &&
	    sk_X509_push(pair->chain, certificate))
		return 0;
	X509_free(certificate);
	return why_set(why, -EINVAL, "it holds more than %d certificates",
		       PAIR_CHAIN_MAX + 1);
}

int pair_parse_chain(const char *text, size_t len, struct pair *ret_pair, struct why *why)
{
	struct pair pair = { .ends_s = 0 };
	BIO *bio = open_text(text, len, why);
	X509 *certificate;
	int r = bio ? 0 : -EINVAL;

	while (r == 0 &&
	       (certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		r = add(&pair, certificate, why);
	if (r == 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		r = why_set(why, -EINVAL, "a certificate in it cannot be read");
	if (r == 0 && !pair.certificate)
		r = why_set(why, -EINVAL, "there is no certificate in it");
	ERR_clear_error();
	BIO_free(bio);
	if (r < 0)
		pair_release(&pair);
	else
		*ret_pair = pair;
	return r;
}

/* ---- the key --------------------------------------------------------------------- */

int pair_parse_key(const char *text, size_t len, struct pair *ret_pair, struct why *why)
{
	BIO *bio = open_text(text, len, why);
	EVP_PKEY *key;

	if (!bio)
		return -EINVAL;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!key && memmem(text, len, KEY_MARK, strlen(KEY_MARK)))
		return why_set(why, -EINVAL,
			       "the private key in it cannot be read, or only with a "
			       "passphrase");
	if (!key)
		return why_set(why, -EINVAL, "there is no private key in it");
	*ret_pair = (struct pair){ .key = key };
	return 0;
}

int pair_parse(const char *text, size_t len, struct pair *ret_pair, struct why *why)
{
	struct pair pair = { .ends_s = 0 }, key = { .ends_s = 0 };
	int r = pair_parse_chain(text, len, &pair, why);

	if (r == 0)
		r = pair_parse_key(text, len, &key, why);
	pair.key = key.key;
	if (r == 0 && X509_check_private_key(pair.certificate, pair.key) != 1)
		r = why_set(why, -EINVAL, "the key is not that of the certificate");
	ERR_clear_error();
	if (r < 0)
		pair_release(&pair);
	else
		*ret_pair = pair;
	return r;
}
