/*
 * key - one key that tells good signatures from bad ones, and the algorithm it is for.
 *
 * The algorithm belongs to the key and is fixed when it is made; what a token says of
 * itself is only compared with it. Made once, used for every token.
 */
#ifndef KEY_H
#define KEY_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

/* Names as in RFC 7518 and RFC 8037. */
#define KEY_ALGS(X) X(HS256) X(RS256) X(ES256) X(EdDSA)
enum key_alg {
#define X(name) ALG_##name,
	KEY_ALGS(X)
#undef X
	ALG_COUNT
};

/* ALG_COUNT for a name that is none of them. `Ed25519` is EdDSA, too, which is called
 * so since RFC 9864. */
enum key_alg key_alg_of(const char *name);
const char *key_alg_name(enum key_alg alg);

enum {
	KEY_ID_SIZE = 129,       /* a kid and its terminator */
	KEY_SECRET_MIN = 32,     /* bytes, RFC 7518 3.2 */
	KEY_SECRET_MAX = 1024,   /* bytes */
	KEY_RSA_BITS_MIN = 2048, /* RFC 7518 3.3 */
	KEY_RSA_BITS_MAX = 8192, /* beyond, one signature takes too long */
};

struct key {
	enum key_alg alg;
	char kid[KEY_ID_SIZE]; /* "" if it has none */
	EVP_PKEY *public;      /* NULL: HS256 */
	size_t secret_len;
	uint8_t secret[KEY_SECRET_MAX];
};

/* Each makes the key, without a kid. -EINVAL with the reason; then there is nothing to
 * release. key_set_public takes `public`, also when it fails. */
int key_set_secret(struct key *key, const uint8_t *secret, size_t len, struct why *why);
int key_set_public(struct key *key, EVP_PKEY *public, struct why *why);

/* Forgets the secret, too. */
void key_release(struct key *key);

/* Whether the signature, as in a JWS, is this key's over the data. False as well when
 * there is no memory. */
bool key_verifies(const struct key *key, const void *data, size_t len,
		  const uint8_t *signature, size_t signature_len);

#endif
