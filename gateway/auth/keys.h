/*
 * keys - the keys of one file, found by algorithm and `kid`.
 *
 * What the file is shows in its first bytes, never in its name, and never is one kind
 * taken for another:
 *   HS256:TEXT      a secret in base64 or base64url, with or without padding
 *   HS256-RAW:TEXT  a secret as it stands there, up to the end of the line
 *   {               a JWKS ({"keys":[…]}), or a single JWK
 *   -----BEGIN      PEM public keys; RSA is for RS256, EC P-256 for ES256, Ed25519 for
 *                   EdDSA
 * Of a JWKS the keys are used that can verify one of our algorithms, and others passed
 * over; there must be one. Private keys are refused: they have no business here.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/why.h"
#include "gateway/auth/key.h"

enum {
	KEYS_MAX = 64,
	KEYS_TEXT_MAX = 262144, /* bytes of a file */
};

struct keys;

/* -EINVAL with the reason, which never shows what was read; -ENOMEM. */
int keys_parse(const char *text, size_t len, struct keys **ret_keys, struct why *why);
void keys_free(struct keys *keys);

/* The key for this algorithm and this kid (NULL: the token names none). Where no key of
 * the file has a kid, any kid is taken for the only key of its algorithm. NULL if there
 * is no such key, or if there are several and no kid to choose by. */
const struct key *keys_find(const struct keys *keys, enum key_alg alg, const char *kid);

/* Whether one of them is a secret, so that nobody else may read the file. */
bool keys_secret(const struct keys *keys);

size_t keys_count(const struct keys *keys);

/* ---- for those who read them ---- */

/* Takes the key, also when it fails: -EINVAL when there is one like it, -ENOMEM. */
int keys_add(struct keys *keys, struct key *key, struct why *why);

/* keys_pem.c and keys_jwk.c; the text is terminated. */
int keys_read_pem(struct keys *keys, const char *text, size_t len, struct why *why);
int keys_read_jwk(struct keys *keys, const char *text, size_t len, struct why *why);

#endif
