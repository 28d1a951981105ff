#include <errno.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#include "gateway/auth/base64url.h"
#include "gateway/auth/keys.h"

enum {
	NUMBER_MAX = KEY_RSA_BITS_MAX / 8 + 1, /* a leading 0 is often there */
	P256_BYTES = 32,
	ED25519_KEY_BYTES = 32,
};

/* ---- members ---------------------------------------------------------------------- */

static const char *string_of(const json_t *jwk, const char *name)
{
	return json_string_value(json_object_get(jwk, name));
}

/* The bytes of a member in base64url; their number, or -EINVAL. */
static int bytes_of(const json_t *jwk, const char *name, uint8_t *out, size_t size,
		    struct why *why)
{
	const json_t *member = json_object_get(jwk, name);
	int len = json_is_string(member)
			  ? base64url_decode(json_string_value(member),
					     json_string_length(member), out, size)
			  : -EINVAL;

	return len > 0 ? len
		       : why_set(why, -EINVAL,
				 "the member %s of a JWK is not base64url "
				 "of a number that serves",
				 name);
}

/* Exactly `size` bytes; 0 or -EINVAL. */
static int number_of(const json_t *jwk, const char *name, uint8_t *out, size_t size,
		     struct why *why)
{
	int len = bytes_of(jwk, name, out, size, why);

	if (len < 0)
		return len;
	return (size_t)len == size
		       ? 0
		       : why_set(why, -EINVAL,
				 "the member %s of a JWK has the wrong length", name);
}

/* ---- keys from numbers ------------------------------------------------------------ */

/* Returns new; NULL when the numbers make no key. */
static EVP_PKEY *public_from(const char *type, OSSL_PARAM params[])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *public = NULL;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &public, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return public;
}

static int finish(struct key *key, EVP_PKEY *public, struct why *why)
{
	if (!public)
		return why_set(why, -EINVAL, "the numbers of a JWK do not make a key");
	return key_set_public(key, public, why);
}

/* OpenSSL wants numbers in the machine's own order of bytes. */
static void to_native(uint8_t *number, size_t len)
{
	BIGNUM *n = BN_bin2bn(number, (int)len, NULL);

	if (n)
		(void)BN_bn2nativepad(n, number, (int)len); /* it came from there */
	BN_free(n);
}

static int make_rsa(const json_t *jwk, struct key *key, struct why *why)
{
	uint8_t n[NUMBER_MAX], e[16];
	OSSL_PARAM params[3];
	int n_len = bytes_of(jwk, "n", n, sizeof n, why), e_len;

	if (n_len < 0)
		return n_len;
	e_len = bytes_of(jwk, "e", e, sizeof e, why);
	if (e_len < 0)
		return e_len;
	to_native(n, (size_t)n_len);
	to_native(e, (size_t)e_len);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, (size_t)n_len);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, (size_t)e_len);
	params[2] = OSSL_PARAM_construct_end();
	return finish(key, public_from("RSA", params), why);
}

static int make_ec(const json_t *jwk, struct key *key, struct why *why)
{
	uint8_t point[1 + 2 * P256_BYTES] = { 4 }; /* uncompressed */
	char group[] = "P-256";
	OSSL_PARAM params[3];
	int r = number_of(jwk, "x", point + 1, P256_BYTES, why);

	if (r == 0)
		r = number_of(jwk, "y", point + 1 + P256_BYTES, P256_BYTES, why);
	if (r < 0)
		return r;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group,
						     0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
						      sizeof point);
	params[2] = OSSL_PARAM_construct_end();
	return finish(key, public_from("EC", params), why);
}

static int make_okp(const json_t *jwk, struct key *key, struct why *why)
{
	uint8_t x[ED25519_KEY_BYTES];
	int r = number_of(jwk, "x", x, sizeof x, why);

	if (r < 0)
		return r;
	return finish(key,
		      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof x),
		      why);
}

static int make_oct(const json_t *jwk, struct key *key, struct why *why)
{
	uint8_t secret[KEY_SECRET_MAX];
	int r = bytes_of(jwk, "k", secret, sizeof secret, why);

	if (r > 0)
		r = key_set_secret(key, secret, (size_t)r, why);
	OPENSSL_cleanse(secret, sizeof secret);
	return r;
}

/* ---- which keys serve ------------------------------------------------------------- */

static const struct type {
	const char *kty, *crv, *alg;
	int (*make)(const json_t *jwk, struct key *key, struct why *why);
} types[] = {
	{ "oct", NULL, "HS256", make_oct },
	{ "RSA", NULL, "RS256", make_rsa },
	{ "EC", "P-256", "ES256", make_ec },
	{ "OKP", "Ed25519", "EdDSA", make_okp },
	{ "OKP", "Ed25519", "Ed25519", make_okp }, /* its name since RFC 9864 */
};

/* Absent, or the very text. */
static bool says(const json_t *jwk, const char *name, const char *text)
{
	const json_t *member = json_object_get(jwk, name);

	return !member ||
	       (json_is_string(member) && strcmp(json_string_value(member), text) == 0);
}

static bool may_verify(const json_t *jwk)
{
	const json_t *ops = json_object_get(jwk, "key_ops"), *op;
	bool may = !ops;
	size_t i;

	json_array_foreach(ops, i, op)
		may |= json_is_string(op) && strcmp(json_string_value(op), "verify") == 0;
	return may && says(jwk, "use", "sig");
}

/* NULL: not for us. */
static const struct type *type_of(const json_t *jwk)
{
	const char *kty = string_of(jwk, "kty"), *crv = string_of(jwk, "crv");

	for (size_t i = 0; kty && i < sizeof types / sizeof *types; i++)
		if (strcmp(kty, types[i].kty) == 0 && says(jwk, "alg", types[i].alg) &&
		    (!types[i].crv || (crv && strcmp(crv, types[i].crv) == 0)))
			return &types[i];
	return NULL;
}

static int put_kid(const json_t *jwk, struct key *key, struct why *why)
{
	const json_t *kid = json_object_get(jwk, "kid");

	if (!kid)
		return 0;
	if (!json_is_string(kid) || json_string_length(kid) == 0 ||
	    json_string_length(kid) >= sizeof key->kid)
		return why_set(why, -EINVAL, "the kid of a JWK is text of 1 to %d bytes",
			       KEY_ID_SIZE - 1);
	memcpy(key->kid, json_string_value(kid), json_string_length(kid) + 1);
	return 0;
}

static int read_one(struct keys *keys, const json_t *jwk, struct why *why)
{
	const struct type *type = type_of(jwk);
	struct key key;
	int r;

	if (!type || !may_verify(jwk))
		return 0;
	if (json_object_get(jwk, "d"))
		return why_set(why, -EINVAL,
			       "it holds a private key; give the public one only");
	r = type->make(jwk, &key, why);
	if (r < 0)
		return r;
	r = put_kid(jwk, &key, why);
	if (r < 0) {
		key_release(&key);
		return r;
	}
	return keys_add(keys, &key, why);
}

int keys_read_jwk(struct keys *keys, const char *text, size_t len, struct why *why)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	const json_t *list = json_object_get(root, "keys"), *jwk;
	size_t i;
	int r = 0;

	/* Not error.text, which may quote what it stumbled over. */
	if (!root)
		return why_set(why, -EINVAL, "it is not JSON, from line %d on",
			       error.line);
	if (!list)
		r = read_one(keys, root, why);
	else if (!json_is_array(list))
		r = why_set(why, -EINVAL, "the keys of a JWKS are an array");
	json_array_foreach(list, i, jwk) if (r == 0) r = read_one(keys, jwk, why);
	json_decref(root);
	return r;
}
