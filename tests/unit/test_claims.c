/* test_claims - times, audience, issuer, the user's name and the rooms of a token. */
#include "gateway/auth/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1800000000000LL
#define EXP    "\"exp\":1800000060"
#define SUB    "\"sub\":\"ann\""
#define BASE   EXP "," SUB

static const struct claim_rules plain = { .audience = "", .issuer = "", .user = "sub" };

struct row {
	const char *payload;
	enum token_verdict verdict;
};

static enum token_verdict read_as(const char *payload, const struct claim_rules *rules,
				  int64_t now_ms, struct claims *ret)
{
	return claims_read((const uint8_t *)payload, strlen(payload), rules, now_ms, ret);
}

static void check(const struct row *rows, size_t n, const struct claim_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		struct claims claims = { .grants = NULL };
		enum token_verdict verdict = read_as(rows[i].payload, rules, NOW_MS,
						     &claims);

		if (verdict != rows[i].verdict)
			fail_msg("%s: %s, not %s", rows[i].payload,
				 token_verdict_name(verdict),
				 token_verdict_name(rows[i].verdict));
		grants_unref(claims.grants);
	}
}
#define CHECK_ROWS(rows, rules) check(rows, sizeof(rows) / sizeof(rows)[0], rules)

static void a_token_ends_and_begins_within_the_leeway(void **state)
{
	static const char payload[] = "{\"exp\":1800000060.5,\"nbf\":1800000000,"
				      "\"iat\":1799999990," SUB "}";
	struct claim_rules rules = plain;
	struct claims claims;

	(void)state;
	rules.leeway_ms = 30000;
	assert_int_equal(read_as(payload, &rules, 1800000090499, &claims), TOKEN_good);
	assert_int_equal(claims.ends_ms, 1800000090500);
	assert_int_equal(read_as(payload, &rules, 1800000090500, &claims), TOKEN_expired);
	assert_int_equal(read_as(payload, &rules, 1799999970000, &claims), TOKEN_good);
	assert_int_equal(read_as(payload, &rules, 1799999969999, &claims), TOKEN_early);
}

static void times_are_numbers_of_this_age_and_exp_is_there(void **state)
{
	static const struct row rows[] = {
		{ "{" BASE "}", TOKEN_good },
		{ "{" SUB "}", TOKEN_expired },
		{ "{\"exp\":1800000000," SUB "}", TOKEN_expired },
		{ "{\"exp\":\"1800000060\"," SUB "}", TOKEN_expired },
		{ "{\"exp\":null," SUB "}", TOKEN_expired },
		{ "{\"exp\":-1," SUB "}", TOKEN_expired },
		{ "{\"exp\":1e300," SUB "}", TOKEN_expired },
		{ "{\"exp\":1800000060000," SUB "}", TOKEN_expired }, /* milliseconds */
		{ "{\"exp\":99999999999999999999," SUB "}", TOKEN_malformed },
		{ "{\"exp\":1e999," SUB "}", TOKEN_malformed },
		{ "{\"iat\":1800000001," BASE "}", TOKEN_early },
		{ "{\"iat\":\"x\"," BASE "}", TOKEN_early },
		{ "{\"nbf\":1800000001," BASE "}", TOKEN_early },
		{ "{\"nbf\":null," BASE "}", TOKEN_early },
		{ "{\"nbf\":0,\"iat\":0," BASE "}", TOKEN_good },
	};

	(void)state;
	CHECK_ROWS(rows, &plain);
}

static void a_token_for_others_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "{\"aud\":\"chat\"," BASE "}", TOKEN_good },
		{ "{\"aud\":[\"mail\",\"chat\"]," BASE "}", TOKEN_good },
		{ "{\"aud\":[\"mail\",7,null]," BASE "}", TOKEN_audience },
		{ "{\"aud\":\"chatter\"," BASE "}", TOKEN_audience },
		{ "{\"aud\":\"CHAT\"," BASE "}", TOKEN_audience },
		{ "{\"aud\":[]," BASE "}", TOKEN_audience },
		{ "{\"aud\":{\"chat\":1}," BASE "}", TOKEN_audience },
		{ "{" BASE "}", TOKEN_audience },
	};
	static const struct row nobody[] = {
		{ "{" BASE "}", TOKEN_good },
		{ "{\"aud\":\"mail\"," BASE "}", TOKEN_audience },
		{ "{\"aud\":\"\"," BASE "}", TOKEN_audience },
	};
	struct claim_rules rules = plain;

	(void)state;
	rules.audience = "chat";
	CHECK_ROWS(rows, &rules);
	CHECK_ROWS(nobody, &plain);
}

static void a_token_by_others_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "{\"iss\":\"https://id\"," BASE "}", TOKEN_good },
		{ "{\"iss\":\"https://id/\"," BASE "}", TOKEN_issuer },
		{ "{\"iss\":[\"https://id\"]," BASE "}", TOKEN_issuer },
		{ "{" BASE "}", TOKEN_issuer },
	};
	struct claim_rules rules = plain;

	(void)state;
	rules.issuer = "https://id";
	CHECK_ROWS(rows, &rules);
}

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN
static void a_user_is_a_name_that_can_be_one(void **state)
{
	static const struct row rows[] = {
		{ "{" EXP "}", TOKEN_claims },
		{ "{\"sub\":\"\"," EXP "}", TOKEN_claims },
		{ "{\"sub\":7," EXP "}", TOKEN_claims },
		{ "{\"sub\":\"" SIXTY "1234\"," EXP "}", TOKEN_good },
		{ "{\"sub\":\"" SIXTY "12345\"," EXP "}", TOKEN_claims },
		{ "{\"sub\":\"a\\nb\"," EXP "}", TOKEN_claims },
		{ "{\"sub\":\"a\\u007f\"," EXP "}", TOKEN_claims },
		{ "{\"sub\":\"a\\u0085\"," EXP "}", TOKEN_claims },
		{ "{\"sub\":\"a\\u0000\"," EXP "}", TOKEN_malformed },
		{ "{\"sub\":\"\xc3\xa4nne\"," EXP "}", TOKEN_good },
		{ "{\"sub\":\"\xc3\"," EXP "}", TOKEN_malformed },
		{ "{\"sub\":\"\\ud800\"," EXP "}", TOKEN_malformed },
		{ "{\"sub\":\"eve\"," BASE "}", TOKEN_malformed }, /* twice */
	};
	struct claim_rules rules = plain;
	struct claims claims;

	(void)state;
	CHECK_ROWS(rows, &plain);
	rules.user = "preferred_username";
	assert_int_equal(read_as("{\"preferred_username\":\"bob\"," BASE "}", &rules,
				 NOW_MS, &claims),
			 TOKEN_good);
	assert_string_equal(claims.user, "bob");
}

static bool allows(const struct claims *claims, enum grant grant, const char *room)
{
	return grants_allow(claims->grants, grant,
			    (struct text){ room, (uint32_t)strlen(room) });
}

static void rooms_are_patterns_for_join_and_for_send(void **state)
{
	struct claims claims;

	(void)state;
	assert_int_equal(read_as("{\"parley\":{\"join\":[\"team.*\",\"lobby\"],"
				 "\"send\":[\"team.a\"]}," BASE "}",
				 &plain, NOW_MS, &claims),
			 TOKEN_good);
	assert_true(allows(&claims, GRANT_join, "team.a"));
	assert_true(allows(&claims, GRANT_join, "lobby"));
	assert_false(allows(&claims, GRANT_join, "lobby2"));
	assert_true(allows(&claims, GRANT_send, "team.a"));
	assert_false(allows(&claims, GRANT_send, "lobby"));
	grants_unref(claims.grants);

	assert_int_equal(read_as("{\"parley\":{\"join\":[\"*\"]}," BASE "}", &plain,
				 NOW_MS, &claims),
			 TOKEN_good);
	assert_true(allows(&claims, GRANT_join, "any"));
	assert_false(allows(&claims, GRANT_send, "any"));
	grants_unref(claims.grants);

	assert_int_equal(read_as("{" BASE "}", &plain, NOW_MS, &claims), TOKEN_good);
	assert_null(claims.grants);
}

static void rooms_that_are_no_patterns_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "{\"parley\":{}," BASE "}", TOKEN_good },
		{ "{\"parley\":{\"later\":1}," BASE "}", TOKEN_good },
		{ "{\"parley\":null," BASE "}", TOKEN_claims },
		{ "{\"parley\":\"*\"," BASE "}", TOKEN_claims },
		{ "{\"parley\":{\"join\":\"*\"}," BASE "}", TOKEN_claims },
		{ "{\"parley\":{\"send\":[\"*\",1]}," BASE "}", TOKEN_claims },
		{ "{\"parley\":{\"send\":[\"" SIXTY SIXTY "123456789\"]}," BASE "}",
		  TOKEN_claims },
	};
	char many[1024] = "{\"parley\":{\"join\":[";
	struct claims claims;

	(void)state;
	CHECK_ROWS(rows, &plain);
	for (int i = 0; i < GRANT_PATTERNS_MAX; i++)
		strcat(many, "\"a\",");
	strcat(many, "\"a\"]}," BASE "}");
	assert_int_equal(read_as(many, &plain, NOW_MS, &claims), TOKEN_claims);
}

static void what_is_no_object_is_malformed(void **state)
{
	static const struct row rows[] = {
		{ "", TOKEN_malformed },
		{ "[]", TOKEN_malformed },
		{ "{" BASE "}x", TOKEN_malformed },
		{ "\"exp\"", TOKEN_malformed },
		{ "{" BASE "", TOKEN_malformed },
	};
	static char deep[8000] = "{" BASE ",\"x\":";
	struct claims claims;

	(void)state;
	CHECK_ROWS(rows, &plain);
	memset(deep + strlen(deep), '[', 4000);
	assert_int_equal(read_as(deep, &plain, NOW_MS, &claims), TOKEN_malformed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_ends_and_begins_within_the_leeway),
		cmocka_unit_test(times_are_numbers_of_this_age_and_exp_is_there),
		cmocka_unit_test(a_token_for_others_is_refused),
		cmocka_unit_test(a_token_by_others_is_refused),
		cmocka_unit_test(a_user_is_a_name_that_can_be_one),
		cmocka_unit_test(rooms_are_patterns_for_join_and_for_send),
		cmocka_unit_test(rooms_that_are_no_patterns_are_refused),
		cmocka_unit_test(what_is_no_object_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
