#include "gateway/auth/key.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
	HS256_BYTES = 32,
	ES256_HALF = 32,    /* r and s, each */
	ES256_DER_MAX = 80, /* both as ASN.1 has them */
	ED25519_BYTES = 64,
};

static const char *const names[ALG_COUNT] = {
#define X(name) [ALG_##name] = #name,
	KEY_ALGS(X)
#undef X
};

const char *key_alg_name(enum key_alg alg)
{
	return names[alg];
}

enum key_alg key_alg_of(const char *name)
{
	unsigned alg = 0;

	if (strcmp(name, "Ed25519") == 0)
		return ALG_EdDSA;
	while (alg < ALG_COUNT && strcmp(names[alg], name) != 0)
		alg++;
	return (enum key_alg)alg;
}

/* ---- making ----------------------------------------------------------------------- */

int key_set_secret(struct key *key, const uint8_t *secret, size_t len, struct why *why)
{
	if (len < KEY_SECRET_MIN || len > KEY_SECRET_MAX)
		return why_set(why, -EINVAL,
			       "a secret for HS256 has %d to %d bytes, not %zu",
			       KEY_SECRET_MIN, KEY_SECRET_MAX, len);
	/* Whoever has the public key could sign with it. */
	if (memmem(secret, len, "-----BEGIN", 10))
		return why_set(why, -EINVAL,
			       "what should be a secret for HS256 is a PEM key");
	*key = (struct key){ .alg = ALG_HS256, .secret_len = len };
	memcpy(key->secret, secret, len);
	return 0;
}

static bool is_p256(const EVP_PKEY *public)
{
	char group[64];

	return EVP_PKEY_get_group_name(public, group, sizeof group, NULL) == 1 &&
	       OBJ_sn2nid(group) == NID_X9_62_prime256v1;
}

static int alg_of_public(const EVP_PKEY *public, enum key_alg *ret_alg, struct why *why)
{
	int bits = EVP_PKEY_get_bits(public);

	switch (EVP_PKEY_get_base_id(public)) {
	case EVP_PKEY_RSA:
		if (bits < KEY_RSA_BITS_MIN || bits > KEY_RSA_BITS_MAX)
			return why_set(why, -EINVAL,
				       "an RSA key has %d to %d bits, not %d",
				       KEY_RSA_BITS_MIN, KEY_RSA_BITS_MAX, bits);
		*ret_alg = ALG_RS256;
		return 0;
	case EVP_PKEY_EC:
		if (!is_p256(public))
			return why_set(why, -EINVAL,
				       "of elliptic curves only P-256 and Ed25519 serve");
		*ret_alg = ALG_ES256;
		return 0;
	case EVP_PKEY_ED25519: *ret_alg = ALG_EdDSA; return 0;
	default:
		return why_set(why, -EINVAL,
			       "a key is neither RSA nor EC P-256 nor Ed25519");
	}
}

/* That the numbers make a key at all: a modulus that is one, a point on its curve. */
static bool is_sound(EVP_PKEY *public)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public, NULL);
	bool sound = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return sound;
}

int key_set_public(struct key *key, EVP_PKEY *public, struct why *why)
{
	enum key_alg alg;
	int r = alg_of_public(public, &alg, why);

	if (r == 0 && !is_sound(public))
		r = why_set(why, -EINVAL, "the numbers of a key for %s do not make one",
			    names[alg]);
	if (r < 0)
		EVP_PKEY_free(public);
	else
		*key = (struct key){ .alg = alg, .public = public };
	return r;
}

void key_release(struct key *key)
{
	EVP_PKEY_free(key->public);
	OPENSSL_cleanse(key, sizeof *key);
}

/* ---- verifying -------------------------------------------------------------------- */

static bool verify_secret(const struct key *key, const void *data, size_t len,
			  const uint8_t *signature, size_t signature_len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	return signature_len == HS256_BYTES &&
	       HMAC(EVP_sha256(), key->secret, (int)key->secret_len, data, len, mac,
		    NULL) &&
	       CRYPTO_memcmp(mac, signature, HS256_BYTES) == 0;
}

static bool verify_public(const struct key *key, const EVP_MD *digest, const void *data,
			  size_t len, const uint8_t *signature, size_t signature_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx &&
		    EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key->public) == 1 &&
		    EVP_DigestVerify(ctx, signature, signature_len, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	/* What OpenSSL notes of a bad one would pile up. */
	ERR_clear_error();
	return good;
}

/* A JWS has r and s side by side (RFC 7518 3.4), OpenSSL wants them in ASN.1. Returns
 * the length, 0 when there is no memory. */
static size_t to_der(const uint8_t *signature, uint8_t der[ES256_DER_MAX])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(signature + ES256_HALF, ES256_HALF, NULL);
	int len = 0;

	if (pair && ECDSA_SIG_set0(pair, r, s)) {
		r = s = NULL; /* are the pair's */
		len = i2d_ECDSA_SIG(pair, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

static bool verify_es256(const struct key *key, const void *data, size_t len,
			 const uint8_t *signature, size_t signature_len)
{
	uint8_t der[ES256_DER_MAX];
	size_t der_len;

	if (signature_len != (size_t)2 * ES256_HALF)
		return false;
	der_len = to_der(signature, der);
	return der_len && verify_public(key, EVP_sha256(), data, len, der, der_len);
}

bool key_verifies(const struct key *key, const void *data, size_t len,
		  const uint8_t *signature, size_t signature_len)
{
	switch (key->alg) {
	case ALG_HS256: return verify_secret(key, data, len, signature, signature_len);
	case ALG_RS256:
		return verify_public(key, EVP_sha256(), data, len, signature,
				     signature_len);
	case ALG_ES256: return verify_es256(key, data, len, signature, signature_len);
	case ALG_EdDSA:
		return signature_len == ED25519_BYTES &&
		       verify_public(key, NULL, data, len, signature, signature_len);
	case ALG_COUNT: break;
	}
	return false;
}
