#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "gateway/auth/keys.h"

/* One block; NULL with the reason. */
static EVP_PKEY *read_block(const char *name, const unsigned char *data, long len,
			    struct why *why)
{
	const unsigned char *at = data;
	EVP_PKEY *public = NULL;

	if (strstr(name, "PRIVATE KEY")) {
		why_write(why, "it holds a private key; give the public one only");
		return NULL;
	}
	if (strcmp(name, "CERTIFICATE") == 0) {
		why_write(why, "it holds a certificate; give its public key only");
		return NULL;
	}
	if (strcmp(name, "PUBLIC KEY") == 0)
	public = d2i_PUBKEY(NULL, &at, len);
	else if (strcmp(name, "RSA PUBLIC KEY") ==
		 0) public = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, len);
	if (public && at != data + len) {
		EVP_PKEY_free(public);
		public = NULL;
	}
	if (!public)
		why_write(why, "a PEM block in it is not a public key");
	return public;
}

/* 0: at the end; 1: one was read. */
static int read_next(struct keys *keys, BIO *bio, struct why *why)
{
	unsigned char *data = NULL;
	char *name = NULL, *header = NULL;
	EVP_PKEY *public;
	struct key key;
	long len;
	int r;

	if (!PEM_read_bio(bio, &name, &header, &data, &len)) {
		bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

		return end ? 0 : why_set(why, -EINVAL, "it is broken PEM");
	}
	public = read_block(name, data, len, why);
	r = public ? key_set_public(&key, public, why) : -EINVAL;
	if (r == 0)
		r = keys_add(keys, &key, why);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	return r < 0 ? r : 1;
}

int keys_read_pem(struct keys *keys, const char *text, size_t len, struct why *why)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len); /* at most KEYS_TEXT_MAX */
	int r = 1;

	if (!bio)
		return why_set(why, -ENOMEM, "no memory for keys");
	while (r > 0)
		r = read_next(keys, bio, why);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}
