/*
 * token_bench - tokens signed by the test itself, and the published examples.
 */
#ifndef TOKEN_BENCH_H
#define TOKEN_BENCH_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/auth/token.h"

/* RFC 7515 appendix A: the payload of A.1 to A.3, and where its time ends. */
#define RFC_PAYLOAD                                                                    \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p" \
	"c19yb290Ijp0cnVlfQ"
#define RFC_EXP_MS 1300819380000LL

#define RFC_HS256                                               \
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD \
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_SECRET                                                                     \
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA" \
	"zZr1Z9CAow"
#define RFC_OCT "{\"kty\":\"oct\",\"k\":\"" RFC_SECRET "\"}"

#define RFC_RS256                                                                      \
	"eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD                                            \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-"  \
	"0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnby" \
	"TyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzD" \
	"wusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt" \
	"5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC_N                                                                          \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrc" \
	"S2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGz" \
	"jb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xs" \
	"mtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8" \
	"q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC_RSA "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\"}"

#define RFC_ES256                                                                     \
	"eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD                                           \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJ" \
	"qPP3-Kg6NU1Q"
#define RFC_EC                                                   \
	"{\"kty\":\"EC\",\"crv\":\"P-256\","                     \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

/* RFC 8037 appendix A.2 and A.4; what is signed is no JSON. */
#define RFC_EDDSA_TEXT "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define RFC_EDDSA_SIGNATURE                                                           \
	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVv" \
	"pAr_MuM0KAg"
#define RFC_OKP                                 \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

/* The test's own secret of 32 bytes, and a time at which its tokens are judged. */
#define SECRET "an elephant never forgets a key."
#define KEY    "HS256-RAW:" SECRET "\n"
#define NOW_S  1800000000LL
#define NOW_MS (NOW_S * 1000)

enum {
	TOKEN_TEXT_MAX = 40000
};

static inline size_t put_url(char *out, const void *data, size_t len)
{
	size_t n;

	(void)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
	n = strcspn(out, "=");
	out[n] = 0;
	for (char *at = out; *at; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	return n;
}

/* Signs with HS256, whatever the header says. */
static inline const char *token_of(const char *header, const char *payload,
				   const void *secret, size_t secret_len)
{
	static char out[TOKEN_TEXT_MAX];
	unsigned char mac[32];
	size_t len = put_url(out, header, strlen(header));

	out[len++] = '.';
	len += put_url(out + len, payload, strlen(payload));
	HMAC(EVP_sha256(), secret, (int)secret_len, (unsigned char *)out, len, mac, NULL);
	out[len++] = '.';
	(void)put_url(out + len, mac, sizeof mac);
	return out;
}

static inline struct keys *keys_of(const char *text)
{
	struct keys *keys;
	struct why why;

	if (keys_parse(text, strlen(text), &keys, &why) < 0)
		fail_msg("%s: %s", text, why.text);
	return keys;
}

/* The rules that the examples meet: `iss` names the user. */
static inline struct token_rules rfc_rules(void)
{
	return (struct token_rules){
		.claims = { .audience = "", .issuer = "", .user = "iss" },
		.len_max = 8192,
	};
}

/* Judges the token with the keys of this text. */
static inline enum token_verdict judge(const char *token, const char *keys_text,
				       const struct token_rules *rules, int64_t now_ms,
				       struct claims *ret)
{
	struct keys *keys = keys_of(keys_text);
	struct text text = { token, (uint32_t)strlen(token) };
	enum token_verdict verdict = token_verify(text, keys, rules, now_ms, ret);

	keys_free(keys);
	return verdict;
}

static inline void expect(enum token_verdict got, enum token_verdict wanted)
{
	if (got != wanted)
		fail_msg("%s, not %s", token_verdict_name(got),
			 token_verdict_name(wanted));
}

#endif
