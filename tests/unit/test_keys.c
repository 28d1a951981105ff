/* test_keys - what a file with keys may be, and what is refused with a sentence. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/auth/auth.h"
#include "gateway/auth/base64url.h"
#include "tests/unit/token_bench.h"

/* The sentence that refuses the text; "" if it is taken. */
static const char *refusal(const char *text)
{
	static struct why why;
	struct keys *keys;

	why.text[0] = 0;
	if (keys_parse(text, strlen(text), &keys, &why) == 0)
		keys_free(keys);
	else
		assert_true(*why.text);
	return why.text;
}

static void refused(const char *text, const char *word)
{
	if (!strstr(refusal(text), word) || !*refusal(text))
		fail_msg("%s: '%s', not %s", text, refusal(text), word);
}

/* PEM text of a key; `private` for the whole pair. */
static char *pem_of(EVP_PKEY *pair, bool private)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = calloc(1, 8192);

	assert_int_equal(
		private ? PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL)
			: PEM_write_bio_PUBKEY(bio, pair),
		1);
	assert_true(BIO_read(bio, text, 8191) > 0);
	BIO_free(bio);
	EVP_PKEY_free(pair);
	return text;
}

static void base64url_has_one_text_for_each_run_of_bytes(void **state)
{
	static const char *const bad[] = { "A",    "AB",  "AAB",  "AA==",  "AA=",
					   "+/AA", "A A", "AA\n", "AAAAA", "\xc3\xa4" };
	uint8_t out[4];

	(void)state;
	assert_int_equal(base64url_decode("", 0, out, 0), 0);
	assert_int_equal(base64url_decode("-_-_", 4, out, 3), 3);
	assert_memory_equal(out, "\xfb\xff\xbf", 3);
	assert_int_equal(base64url_decode("AQ", 2, out, 1), 1);
	assert_int_equal(base64url_decode("AQI", 3, out, 2), 2);
	assert_int_equal(base64url_decode("-_-_", 4, out, 2), -ENOSPC);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), out, 4),
				 -EINVAL);
}

static void a_secret_is_one_line_in_base64_or_raw(void **state)
{
	static const char *const same[] = {
		"HS256-RAW:" SECRET,
		"HS256-RAW:" SECRET "\r\n\n",
		"HS256:YW4gZWxlcGhhbnQgbmV2ZXIgZm9yZ2V0cyBhIGtleS4=\n",
		"\nHS256: YW4gZWxlcGhhbnQgbmV2ZXIgZm9yZ2V0cyBhIGtleS4 \n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct keys *keys = keys_of(same[i]);
		const struct key *key = keys_find(keys, ALG_HS256, NULL);

		assert_true(keys_secret(keys));
		assert_int_equal(key->secret_len, 32);
		assert_memory_equal(key->secret, SECRET, 32);
		keys_free(keys);
	}
	refused("HS256:YW4gZWxlcGhhbnQgbmV2ZXIgZm9yZ2V0cw==", "32");
	refused("HS256:AAAA AAAA", "base64");
	refused("HS256:AAAA\tAAAA", "base64");
	refused("HS256:AAA*", "base64");
	refused("HS256:", "32");
	refused("HS256-RAW:too short", "32");
	refused("HS256-RAW:" SECRET "\nand more", "one line");
	refused("HS256-RAW:-----BEGIN PUBLIC KEY----- and so on", "PEM");
	refused(SECRET, "neither");
	refused("", "neither");
}

static void pem_keys_are_public_and_told_apart_by_their_kind(void **state)
{
	char *rsa = pem_of(EVP_RSA_gen(2048), false), both[20000];
	char *ec = pem_of(EVP_EC_gen("P-256"), false);
	char *ed = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false);
	struct keys *keys;

	(void)state;
	snprintf(both, sizeof both, "# ours\n%s\n%s%s", rsa, ec, ed);
	keys = keys_of(both);
	assert_int_equal(keys_count(keys), 3);
	assert_non_null(keys_find(keys, ALG_RS256, NULL));
	assert_non_null(keys_find(keys, ALG_ES256, "some kid"));
	assert_non_null(keys_find(keys, ALG_EdDSA, NULL));
	assert_null(keys_find(keys, ALG_HS256, NULL));
	keys_free(keys);
	snprintf(both, sizeof both, "%s%s", ec, ec);
	refused(both, "told apart");
	ec[strlen(ec) / 2] ^= 1;
	assert_true(*refusal(ec));
	free(rsa);
	free(ec);
	free(ed);
}

static void other_pem_is_refused(void **state)
{
	char *private = pem_of(EVP_EC_gen("P-256"), true);
	char *small = pem_of(EVP_RSA_gen(1024), false);
	char *curve = pem_of(EVP_EC_gen("P-384"), false);
	char *agree = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), false);

	(void)state;
	refused(private, "private");
	refused(small, "1024");
	refused(curve, "P-256");
	refused(agree, "neither");
	refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"certificate");
	refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"not a public key");
	refused("-----BEGIN PUBLIC KEY-----\nAAAA\n", "broken");
	free(private);
	free(small);
	free(curve);
	free(agree);
}

#define JWKS(keys) "{\"keys\":[" keys "]}"

static void of_a_jwks_those_serve_that_can_verify(void **state)
{
	struct keys *keys = keys_of(
		JWKS(RFC_RSA "," RFC_EC "," RFC_OKP "," RFC_OCT ","
			     "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"x\"},"
			     "{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"x\"},"
			     "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"x\"},"
			     "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"x\"},"
			     "{\"kty\":\"oct\",\"key_ops\":[\"sign\"],\"k\":\"x\"},"
			     "{\"kty\":\"AKP\"},{},7"));

	(void)state;
	assert_int_equal(keys_count(keys), 4);
	keys_free(keys);
	refused("{\"kty\":\"RSA\",\"use\":\"enc\"}", "none");
	refused(JWKS(""), "none");
	refused("{}", "none");
}

static void a_broken_jwks_is_refused(void **state)
{
	(void)state;
	refused("{\"keys\":[", "JSON");
	refused("{\"keys\":{}}", "array");
	refused("{\"keys\":[],\"keys\":[]}", "JSON");
	refused("{\"kty\":\"oct\",\"k\":\"AAAA\"}", "32");
	refused("{\"kty\":\"oct\",\"k\":\"AAA=\"}", "base64url");
	refused("{\"kty\":\"RSA\",\"n\":\"" RFC_N "\"}", " e ");
	refused("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "2048");
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}",
		"length");
	/* Not on the curve. */
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
		"do not make");
	refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"x\",\"x\":\"x\"}",
		"private");
	refused("{\"kty\":\"oct\",\"kid\":7,\"k\":\"" RFC_SECRET "\"}", "kid");
	refused(JWKS(RFC_OCT "," RFC_OCT), "told apart");
	/* Nothing of a secret in a sentence. */
	assert_null(strstr(refusal("{\"kty\":\"oct\",\"k\":\"" RFC_SECRET "\" oops"),
			   "AyM1"));
}

/* ---- the file ---- */

/* What auth_read_keys says of a file with this text and mode; "" if it is taken. */
static const char *file_refusal(const char *text, mode_t mode)
{
	static struct why why;
	struct settings settings;
	char path[] = "/tmp/parley-keys-XXXXXX";
	int fd = mkstemp(path), copy;

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	settings_defaults(&settings);
	strcpy(settings.auth, "jwt");
	strcpy(settings.jwt_key_file, path);
	why.text[0] = 0;
	if (auth_read_keys(&settings, &copy, &why) == 0)
		close(copy);
	unlink(path);
	return why.text;
}

static void a_secret_is_nobody_elses_to_read_and_no_key_to_write(void **state)
{
	(void)state;
	assert_string_equal(file_refusal(KEY, 0640), "");
	assert_non_null(strstr(file_refusal(KEY, 0644), "everybody may read"));
	assert_non_null(strstr(file_refusal(RFC_OCT, 0604), "everybody may read"));
	assert_string_equal(file_refusal(RFC_EC, 0644), "");
	assert_non_null(strstr(file_refusal(RFC_EC, 0646), "everybody may write"));
	assert_non_null(strstr(file_refusal("", 0600), "neither"));
}

static void what_is_no_file_is_refused_at_once(void **state)
{
	static const char *const paths[] = { "/nonexistent", "/tmp", "/dev/zero" };
	struct settings settings;
	struct why why;
	int fd;

	(void)state;
	settings_defaults(&settings);
	strcpy(settings.auth, "jwt");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		strcpy(settings.jwt_key_file, paths[i]);
		assert_int_equal(auth_read_keys(&settings, &fd, &why), -EINVAL);
		assert_non_null(strstr(why.text, paths[i]));
		assert_non_null(strstr(why.text, "PARLEY_JWT_KEY_FILE"));
	}
}

static void a_file_longer_than_may_be_is_refused(void **state)
{
	char *text = calloc(1, KEYS_TEXT_MAX + 2);

	(void)state;
	memset(text, ' ', KEYS_TEXT_MAX + 1);
	memcpy(text, "{}", 2);
	assert_non_null(strstr(file_refusal(text, 0600), "longer"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_has_one_text_for_each_run_of_bytes),
		cmocka_unit_test(a_secret_is_one_line_in_base64_or_raw),
		cmocka_unit_test(pem_keys_are_public_and_told_apart_by_their_kind),
		cmocka_unit_test(other_pem_is_refused),
		cmocka_unit_test(of_a_jwks_those_serve_that_can_verify),
		cmocka_unit_test(a_broken_jwks_is_refused),
		cmocka_unit_test(a_secret_is_nobody_elses_to_read_and_no_key_to_write),
		cmocka_unit_test(what_is_no_file_is_refused_at_once),
		cmocka_unit_test(a_file_longer_than_may_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
