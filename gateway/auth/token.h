/*
 * token - a JWT in the compact form of a JWS: three parts in base64url, with dots.
 *
 * Pure: text, keys, rules and the time in; a verdict out. Nothing of the payload is
 * looked at before the signature is good. Tokens are secrets: nobody prints one.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include "gateway/auth/claims.h"
#include "gateway/auth/keys.h"

enum {
	TOKEN_HEADER_MAX = 2048, /* bytes, decoded */
	TOKEN_SIGNATURE_MAX = KEY_RSA_BITS_MAX / 8,
};

struct token_rules {
	struct claim_rules claims;
	size_t len_max; /* bytes of the whole */
};

/* *ret is written only when good. */
enum token_verdict token_verify(struct text token, const struct keys *keys,
				const struct token_rules *rules, int64_t now_ms,
				struct claims *ret);

#endif
