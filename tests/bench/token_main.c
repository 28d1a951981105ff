/*
 * token - what a token costs: its signature alone, and the whole verdict.
 *
 * For each algorithm a key is made, a token signed, and judged again and again. Prints
 * lines of `name value unit`, the median of some rounds. LAB.md, for OpenSSL's part on a
 * key that is parsed once: RS256 27 us, ES256 73 us, EdDSA 108 us.
 */
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/auth/token.h"

#define SECRET "an elephant never forgets a key."
#define PAYLOAD                                                                    \
	"{\"sub\":\"ann\",\"iss\":\"https://id.example\",\"aud\":\"chat\","        \
	"\"exp\":1800000060,\"iat\":1799999990,\"parley\":{\"join\":[\"team.*\"]," \
	"\"send\":[\"team.*\"]}}"
#define NOW_MS 1800000000000LL

enum {
	ROUNDS = 9,
	TOKENS = 1000, /* a round */
	TOKEN_SIZE = 2048,
};

static const struct token_rules rules = {
	.claims = { .audience = "chat", .issuer = "https://id.example", .user = "sub" },
	.len_max = 8192,
};

struct bench {
	enum key_alg alg;
	EVP_PKEY *pair; /* NULL: HS256 */
	struct keys *keys;
	char token[TOKEN_SIZE];
	size_t signed_len, len;
	uint8_t signature[512];
	size_t signature_len;
};

static size_t put_url(char *out, const void *data, size_t len)
{
	size_t n;

	(void)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
	n = strcspn(out, "=");
	for (size_t i = 0; i < n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	return n;
}

/* ---- making ----------------------------------------------------------------------- */

static void make_keys(struct bench *b)
{
	char text[4096] = "HS256-RAW:" SECRET;
	BIO *bio = BIO_new(BIO_s_mem());

	switch (b->alg) {
	case ALG_RS256: b->pair = EVP_RSA_gen(2048); break;
	case ALG_ES256: b->pair = EVP_EC_gen("P-256"); break;
	case ALG_EdDSA: b->pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
	default: break;
	}
	if (b->pair) {
		memset(text, 0, sizeof text);
		CHECK(PEM_write_bio_PUBKEY(bio, b->pair) == 1);
		CHECK(BIO_read(bio, text, sizeof text - 1) > 0);
	}
	CHECK(keys_parse(text, strlen(text), &b->keys, NULL) == 0);
	BIO_free(bio);
}

/* ASN.1 to two numbers side by side. */
static void to_pair(struct bench *b)
{
	const unsigned char *at = b->signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)b->signature_len);

	CHECK(pair);
	(void)BN_bn2binpad(ECDSA_SIG_get0_r(pair), b->signature, 32);
	(void)BN_bn2binpad(ECDSA_SIG_get0_s(pair), b->signature + 32, 32);
	b->signature_len = 64;
	ECDSA_SIG_free(pair);
}

static void sign(struct bench *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *key = b->pair ? b->pair
				: EVP_PKEY_new_raw_private_key(
					  EVP_PKEY_HMAC, NULL,
					  (const unsigned char *)SECRET, strlen(SECRET));
	const EVP_MD *digest = b->alg == ALG_EdDSA ? NULL : EVP_sha256();

	b->signature_len = sizeof b->signature;
	CHECK(EVP_DigestSignInit(ctx, NULL, digest, NULL, key) == 1);
	CHECK(EVP_DigestSign(ctx, b->signature, &b->signature_len,
			     (const unsigned char *)b->token, b->signed_len) == 1);
	EVP_MD_CTX_free(ctx);
	if (!b->pair)
		EVP_PKEY_free(key);
	if (b->alg == ALG_ES256)
		to_pair(b);
}

static void make_token(struct bench *b)
{
	char header[64];
	int len = snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
			   key_alg_name(b->alg));

	b->len = put_url(b->token, header, (size_t)len);
	b->token[b->len++] = '.';
	b->len += put_url(b->token + b->len, PAYLOAD, strlen(PAYLOAD));
	b->signed_len = b->len;
	sign(b);
	b->token[b->len++] = '.';
	b->len += put_url(b->token + b->len, b->signature, b->signature_len);
}

/* ---- measuring -------------------------------------------------------------------- */

static void verify(const struct bench *b)
{
	const struct key *key = keys_find(b->keys, b->alg, NULL);

	CHECK(key_verifies(key, b->token, b->signed_len, b->signature, b->signature_len));
}

static void judge(const struct bench *b)
{
	struct text token = { b->token, (uint32_t)b->len };
	struct claims claims;

	CHECK(token_verify(token, b->keys, &rules, NOW_MS, &claims) == TOKEN_good);
	grants_unref(claims.grants);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_us(const struct bench *b, void (*once)(const struct bench *))
{
	double us[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t from_ns = clock_mono_ns();

		for (unsigned i = 0; i < TOKENS; i++)
			once(b);
		us[round] = (double)(clock_mono_ns() - from_ns) / TOKENS / 1000;
	}
	qsort(us, ROUNDS, sizeof *us, by_size);
	return us[ROUNDS / 2];
}

int main(void)
{
	for (unsigned alg = 0; alg < ALG_COUNT; alg++) {
		struct bench b = { .alg = (enum key_alg)alg };

		make_keys(&b);
		make_token(&b);
		printf("token_%s_signature %.1f us\n", key_alg_name(b.alg),
		       median_us(&b, verify));
		printf("token_%s_whole %.1f us\n", key_alg_name(b.alg),
		       median_us(&b, judge));
		keys_free(b.keys);
		EVP_PKEY_free(b.pair);
	}
	return 0;
}
