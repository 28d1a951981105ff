/*
 * claims - what a token says: in its header of itself, in its payload of who bears it.
 *
 * Pure: JSON and the time in, a verdict out. A member that is there twice makes the
 * whole no JSON. The signature is token.h's matter.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/auth/key.h"
#include "gateway/grants.h"
#include "gateway/message.h"

/* Why a token is refused. For counters and the log of level debug, never for clients. */
#define TOKEN_VERDICTS(X)                                               \
	X(good)                                                         \
	X(missing)   /* there is none */                                \
	X(malformed) /* no compact JWS, or too long, or no such JSON */ \
	X(key)       /* no key for its algorithm and kid, or several */ \
	X(signature)                                                    \
	X(expired)  /* or exp is missing */                             \
	X(early)    /* nbf or iat lie ahead */                          \
	X(audience) /* is for others */                                 \
	X(issuer)                                                       \
	X(claims) /* no user, or rooms, that could be one */
enum token_verdict {
#define X(name) TOKEN_##name,
	TOKEN_VERDICTS(X)
#undef X
	TOKEN_VERDICT_COUNT
};
const char *token_verdict_name(enum token_verdict verdict);

struct token_header {
	enum key_alg alg;
	bool has_kid;
	char kid[KEY_ID_SIZE];
};

/* TOKEN_key also for an algorithm that is none of ours, `none` among them; for `crit`
 * TOKEN_malformed, as nothing is understood that it could name. Keys that a token brings
 * along (jwk, jku, x5c, x5u) are not looked at. */
enum token_verdict claims_header(const uint8_t *json, size_t len,
				 struct token_header *ret);

struct claim_rules {
	const char *audience; /* must be in aud; "": then there must be no aud */
	const char *issuer;   /* must be iss; "": any */
	const char *user;     /* the claim that names the user */
	int64_t leeway_ms;    /* how far clocks may differ */
};

struct claims {
	char user[USER_NAME_MAX + 1];
	int64_t ends_ms;       /* wall clock: exp and leeway */
	struct grants *grants; /* of the claim `parley`, owned; NULL: it has none */
};

/* *ret is written only when good. No memory is TOKEN_claims. */
enum token_verdict claims_read(const uint8_t *json, size_t len,
			       const struct claim_rules *rules, int64_t now_ms,
			       struct claims *ret);

#endif
