/*
 * fuzz_token - no token and no file with keys does harm, and none gets in by chance.
 *
 * The first byte says what the rest is: a token, a header, a payload, or keys. A token
 * is never good: its key is the fuzzer's to guess.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/auth/token.h"
#include "gateway/wire/utf8.h"

#define NOW_MS 1800000000000LL

/* RFC 7515 A.2 and A.3, RFC 8037 A.2, and a secret. */
static const char jwks[] =
	"{\"keys\":[{\"kty\":\"oct\",\"k\":"
	"\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUu\"},"
	"{\"kty\":\"EC\",\"crv\":\"P-256\","
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static const struct token_rules rules = {
	.claims = { .audience = "", .issuer = "", .user = "sub", .leeway_ms = 30000 },
	.len_max = 8192,
};

static void try_token(const uint8_t *data, size_t size)
{
	static struct keys *keys;
	struct text token = { (const char *)data, (uint32_t)size };
	struct claims claims;

	if (!keys)
		CHECK(keys_parse(jwks, strlen(jwks), &keys, NULL) == 0);
	CHECK(token_verify(token, keys, &rules, NOW_MS, &claims) != TOKEN_good);
}

static void try_header(const uint8_t *data, size_t size)
{
	struct token_header header;

	if (claims_header(data, size, &header) == TOKEN_good)
		CHECK(header.alg < ALG_COUNT &&
		      (!header.has_kid || strlen(header.kid) < KEY_ID_SIZE));
}

static void try_payload(const uint8_t *data, size_t size)
{
	struct claims claims;
	struct text room = { "team.a.b", 8 };

	if (claims_read(data, size, &rules.claims, NOW_MS, &claims) != TOKEN_good)
		return;
	CHECK(*claims.user && strlen(claims.user) <= USER_NAME_MAX);
	CHECK(utf8_valid(claims.user, strlen(claims.user)));
	CHECK(claims.ends_ms > NOW_MS);
	(void)grants_allow(claims.grants, GRANT_join, room);
	(void)grants_allow(claims.grants, GRANT_send, room);
	grants_unref(claims.grants);
}

static void try_keys(const uint8_t *data, size_t size)
{
	struct why why = { "" };
	struct keys *keys;

	if (keys_parse((const char *)data, size, &keys, &why) == 0)
		keys_free(keys);
	else
		CHECK(*why.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const uint8_t *, size_t) = { try_token, try_header,
								  try_payload, try_keys };

	if (size == 0)
		return 0;
	tries[data[0] & 3](data + 1, size - 1);
	return 0;
}
