/* test_token - a token is good only if its key says so, and by the key's algorithm. */
#include "tests/unit/token_bench.h"

#include "gateway/auth/base64url.h"

#define PAYLOAD "{\"sub\":\"ann\",\"exp\":1800000060}"

static const struct token_rules rules = {
	.claims = { .audience = "", .issuer = "", .user = "sub" },
	.len_max = 8192,
};

static enum token_verdict verdict_of(const char *token, const char *keys)
{
	struct claims claims = { .grants = NULL };
	enum token_verdict verdict = judge(token, keys, &rules, NOW_MS, &claims);

	grants_unref(claims.grants);
	return verdict;
}

/* With this header, signed by the test's secret. */
static enum token_verdict with_header(const char *header)
{
	return verdict_of(token_of(header, PAYLOAD, SECRET, strlen(SECRET)), KEY);
}

/* ---- published examples ---- */

static void the_examples_of_rfc_7515_are_good_until_they_end(void **state)
{
	static const char *const examples[][2] = {
		{ RFC_HS256, RFC_OCT },
		{ RFC_RS256, RFC_RSA },
		{ RFC_ES256, RFC_EC },
	};
	struct token_rules rfc = rfc_rules();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct claims claims;

		expect(judge(examples[i][0], examples[i][1], &rfc, RFC_EXP_MS - 1,
			     &claims),
		       TOKEN_good);
		assert_string_equal(claims.user, "joe");
		assert_int_equal(claims.ends_ms, RFC_EXP_MS);
		assert_null(claims.grants);
		expect(judge(examples[i][0], examples[i][1], &rfc, RFC_EXP_MS, &claims),
		       TOKEN_expired);
	}
}

static void the_example_of_rfc_8037_is_good_and_what_it_signs_no_json(void **state)
{
	struct keys *keys = keys_of(RFC_OKP);
	const struct key *key = keys_find(keys, ALG_EdDSA, NULL);
	uint8_t signature[64];

	(void)state;
	assert_int_equal(base64url_decode(RFC_EDDSA_SIGNATURE,
					  strlen(RFC_EDDSA_SIGNATURE), signature, 64),
			 64);
	assert_true(
		key_verifies(key, RFC_EDDSA_TEXT, strlen(RFC_EDDSA_TEXT), signature, 64));
	assert_false(
		key_verifies(key, RFC_EDDSA_TEXT, strlen(RFC_EDDSA_TEXT), signature, 63));
	signature[5] ^= 1;
	assert_false(
		key_verifies(key, RFC_EDDSA_TEXT, strlen(RFC_EDDSA_TEXT), signature, 64));
	keys_free(keys);
	expect(verdict_of(RFC_EDDSA_TEXT "." RFC_EDDSA_SIGNATURE, RFC_OKP),
	       TOKEN_malformed);
}

static void another_bit_anywhere_is_another_token(void **state)
{
	struct token_rules rfc = rfc_rules();
	char token[] = RFC_HS256;

	(void)state;
	for (size_t i = 0; i < strlen(token); i++) {
		struct claims claims;
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(judge(token, RFC_OCT, &rfc, RFC_EXP_MS - 1, &claims),
				     TOKEN_good);
		token[i] = was;
	}
}

/* ---- algorithms and keys ---- */

static void the_key_pins_the_algorithm(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",  "{\"alg\":\"None\"}",  "{\"alg\":\"\"}",
		"{\"alg\":\"HS384\"}", "{\"alg\":\"hs256\"}", "{\"alg\":\"RS256\"}",
		"{\"alg\":\"ES256\"}", "{\"alg\":\"EdDSA\"}",
	};

	(void)state;
	expect(with_header("{\"alg\":\"HS256\"}"), TOKEN_good);
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		expect(with_header(headers[i]), TOKEN_key);
	/* {"alg":"none"} and nothing where the signature should be. */
	expect(verdict_of("eyJhbGciOiJub25lIn0." RFC_PAYLOAD ".", RFC_OCT), TOKEN_key);
}

static void a_public_key_is_no_secret(void **state)
{
	char pem[2048] = "", token[TOKEN_TEXT_MAX];
	EVP_PKEY *pair = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct keys *keys;

	(void)state;
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pair), 1);
	assert_true(BIO_read(bio, pem, sizeof pem - 1) > 0);
	snprintf(token, sizeof token, "%s",
		 token_of("{\"alg\":\"HS256\"}", PAYLOAD, pem, strlen(pem)));
	expect(verdict_of(token, pem), TOKEN_key);
	expect(verdict_of(token_of("{\"alg\":\"RS256\"}", PAYLOAD, pem, strlen(pem)),
			  pem),
	       TOKEN_signature);
	keys = keys_of(pem);
	assert_false(keys_secret(keys));
	keys_free(keys);
	BIO_free(bio);
	EVP_PKEY_free(pair);
}

static void es256_takes_two_numbers_and_no_zeros(void **state)
{
	static const char head[] = "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD ".";
	char token[1024], zeros[100];

	(void)state;
	memset(zeros, 'A', sizeof zeros);
	snprintf(token, sizeof token, "%s%.86s", head, zeros);
	expect(verdict_of(token, RFC_EC), TOKEN_signature);
	snprintf(token, sizeof token, "%s%.84s", head, zeros);
	expect(verdict_of(token, RFC_EC), TOKEN_signature);
	expect(verdict_of(head, RFC_EC), TOKEN_signature);
}

static void what_a_token_brings_along_is_no_key(void **state)
{
	(void)state;
	expect(with_header("{\"alg\":\"HS256\",\"jwk\":" RFC_OCT ",\"x5u\":\"http://x\","
			   "\"jku\":\"http://x\",\"x5c\":[\"x\"]}"),
	       TOKEN_good);
	expect(verdict_of(token_of("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\","
				   "\"k\":\"bXkgb3duIGtleSBpcyBteSBvd24ga2V5IGFuZCBsb25n"
				   "\"}}",
				   PAYLOAD, "my own key is my own key and long", 33),
			  KEY),
	       TOKEN_signature);
	expect(with_header("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}"),
	       TOKEN_malformed);
	expect(with_header("{\"alg\":\"HS256\",\"crit\":[]}"), TOKEN_malformed);
}

static void a_kid_chooses_the_key(void **state)
{
	static const char jwks[] =
		"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"old\",\"k\":\"" RFC_SECRET "\"},"
		"{\"kty\":\"oct\",\"kid\":\"new\",\"k\":"
		"\"YW4gZWxlcGhhbnQgbmV2ZXIgZm9yZ2V0cyBhIGtleS4\"}]}";
	static const struct {
		const char *header;
		enum token_verdict verdict;
	} rows[] = {
		{ "{\"alg\":\"HS256\",\"kid\":\"new\"}", TOKEN_good },
		{ "{\"alg\":\"HS256\",\"kid\":\"old\"}", TOKEN_signature },
		{ "{\"alg\":\"HS256\",\"kid\":\"other\"}", TOKEN_key },
		{ "{\"alg\":\"HS256\",\"kid\":\"\"}", TOKEN_key },
		{ "{\"alg\":\"HS256\"}", TOKEN_key },
		{ "{\"alg\":\"HS256\",\"kid\":7}", TOKEN_malformed },
		{ "{\"alg\":\"RS256\",\"kid\":\"new\"}", TOKEN_key },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(verdict_of(
			       token_of(rows[i].header, PAYLOAD, SECRET, strlen(SECRET)),
			       jwks),
		       rows[i].verdict);
	/* A file that names no key has but one of its kind. */
	expect(with_header("{\"alg\":\"HS256\",\"kid\":\"any\"}"), TOKEN_good);
}

/* ---- form ---- */

static void what_is_no_compact_jws_is_malformed(void **state)
{
	static const char *const tokens[] = {
		".",
		"..",
		"...",
		"a.b",
		"eyJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD,
		RFC_HS256 ".",
		RFC_HS256 "=",
		RFC_HS256 " ",
		" " RFC_HS256,
		"eyJhbGciOiJIUzI1NiJ9=.e30.",
		"eyJhbGciOiJIUzI1NiJ9.e30.+/",
		"eyJhbGciOiJIUzI1NiJ9.e30.A",
		"eyJhbGciOiJIUzI1NiJ9.e30.AB", /* stray bits */
		"e30.e30.AA",                  /* {} */
		"W10.e30.AA",                  /* [] */
		"bnVsbA.e30.AA",               /* null */
	};

	(void)state;
	expect(verdict_of("", KEY), TOKEN_missing);
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
		if (verdict_of(tokens[i], RFC_OCT) != TOKEN_malformed)
			fail_msg("%s", tokens[i]);
}

static void a_header_that_says_a_thing_twice_is_malformed(void **state)
{
	(void)state;
	expect(with_header("{\"alg\":\"HS256\",\"alg\":\"HS256\"}"), TOKEN_malformed);
	expect(with_header("{\"alg\":[\"HS256\"]}"), TOKEN_malformed);
	expect(with_header("{\"alg\":\"HS256\"} x"), TOKEN_malformed);
	expect(with_header("{\"alg\":\"HS256\",\"x\":\"\\u0000\"}"), TOKEN_malformed);
}

static void what_is_huge_is_not_looked_at(void **state)
{
	static char payload[9000], deep[8000];

	(void)state;
	memset(payload, ' ', sizeof payload - 1);
	memcpy(payload, PAYLOAD, strlen(PAYLOAD));
	expect(verdict_of(
		       token_of("{\"alg\":\"HS256\"}", payload, SECRET, strlen(SECRET)),
		       KEY),
	       TOKEN_malformed);
	payload[5000] = 0;
	expect(verdict_of(
		       token_of("{\"alg\":\"HS256\"}", payload, SECRET, strlen(SECRET)),
		       KEY),
	       TOKEN_good);
	/* Deep, in the part that nobody has signed yet. */
	strcpy(deep, "{\"alg\":");
	memset(deep + 7, '[', 1500);
	expect(with_header(deep), TOKEN_malformed);
	memset(deep + 7, '[', 2500);
	expect(with_header(deep), TOKEN_malformed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_rfc_7515_are_good_until_they_end),
		cmocka_unit_test(
			the_example_of_rfc_8037_is_good_and_what_it_signs_no_json),
		cmocka_unit_test(another_bit_anywhere_is_another_token),
		cmocka_unit_test(the_key_pins_the_algorithm),
		cmocka_unit_test(a_public_key_is_no_secret),
		cmocka_unit_test(es256_takes_two_numbers_and_no_zeros),
		cmocka_unit_test(what_a_token_brings_along_is_no_key),
		cmocka_unit_test(a_kid_chooses_the_key),
		cmocka_unit_test(what_is_no_compact_jws_is_malformed),
		cmocka_unit_test(a_header_that_says_a_thing_twice_is_malformed),
		cmocka_unit_test(what_is_huge_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
