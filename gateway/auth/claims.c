#include "gateway/auth/claims.h"

#include <jansson.h>
#include <string.h>

/* Seconds since 1970 to the end of the year 9999: a time beyond is a mistake. */
#define TIME_MAX_S 253402300799LL

static const char *const names[TOKEN_VERDICT_COUNT] = {
#define X(name) [TOKEN_##name] = #name,
	TOKEN_VERDICTS(X)
#undef X
};

const char *token_verdict_name(enum token_verdict verdict)
{
	return names[verdict];
}

/* Returns new; NULL: not one object in JSON. */
static json_t *read_object(const uint8_t *json, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)json, len, JSON_REJECT_DUPLICATES,
				  &error);

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* ---- the header ------------------------------------------------------------------- */

static enum token_verdict judge_header(const json_t *root, struct token_header *header)
{
	const json_t *alg = json_object_get(root, "alg");
	const json_t *kid = json_object_get(root, "kid");

	if (!json_is_string(alg) || (kid && !json_is_string(kid)) ||
	    json_object_get(root, "crit"))
		return TOKEN_malformed;
	header->alg = key_alg_of(json_string_value(alg));
	header->has_kid = kid != NULL;
	if (header->alg == ALG_COUNT ||
	    (kid && json_string_length(kid) >= sizeof header->kid))
		return TOKEN_key;
	if (kid)
		memcpy(header->kid, json_string_value(kid), json_string_length(kid) + 1);
	return TOKEN_good;
}

enum token_verdict claims_header(const uint8_t *json, size_t len,
				 struct token_header *ret)
{
	json_t *root = read_object(json, len);
	enum token_verdict verdict = TOKEN_malformed;

	if (root)
		verdict = judge_header(root, ret);
	json_decref(root);
	return verdict;
}

/* ---- times ------------------------------------------------------------------------ */

/* A NumericDate (RFC 7519 2), which may have a fraction; false for what is none. */
static bool time_of(const json_t *claim, int64_t *ret_ms)
{
	double seconds = json_number_value(claim);

	if (!json_is_number(claim) || !(seconds >= 0 && seconds <= TIME_MAX_S))
		return false;
	*ret_ms = (int64_t)(seconds * 1000);
	return true;
}

static enum token_verdict judge_times(const json_t *root, int64_t leeway_ms,
				      int64_t now_ms, int64_t *ret_ends_ms)
{
	static const char *const starts[] = { "nbf", "iat" };
	int64_t at_ms;

	if (!time_of(json_object_get(root, "exp"), &at_ms) || now_ms >= at_ms + leeway_ms)
		return TOKEN_expired;
	*ret_ends_ms = at_ms + leeway_ms;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		const json_t *claim = json_object_get(root, starts[i]);

		if (claim && (!time_of(claim, &at_ms) || at_ms > now_ms + leeway_ms))
			return TOKEN_early;
	}
	return TOKEN_good;
}

/* ---- for whom, and by whom -------------------------------------------------------- */

static bool is_text(const json_t *value, const char *text)
{
	return json_is_string(value) && json_string_length(value) == strlen(text) &&
	       memcmp(json_string_value(value), text, strlen(text)) == 0;
}

/* RFC 7519 4.1.3: whoever is not among those it is for must refuse it. */
static bool is_for(const json_t *audience, const char *me)
{
	const json_t *one;
	bool found = false;
	size_t i;

	if (!*me || !audience)
		return !*me && !audience;
	json_array_foreach(audience, i, one) found |= is_text(one, me);
	return found || is_text(audience, me);
}

/* jansson has seen that it is UTF-8. */
static bool has_control(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	for (size_t i = 0; i < len; i++)
		/* C2 80 to C2 9F are U+0080 to U+009F; a terminator stands behind. */
		if (at[i] < 0x20 || at[i] == 0x7f || (at[i] == 0xc2 && at[i + 1] < 0xa0))
			return true;
	return false;
}

static bool read_user(const json_t *claim, char user[USER_NAME_MAX + 1])
{
	size_t len = json_string_length(claim);

	if (len == 0 || len > USER_NAME_MAX || has_control(json_string_value(claim), len))
		return false;
	memcpy(user, json_string_value(claim), len + 1);
	return true;
}

/* ---- rooms ------------------------------------------------------------------------ */

/* An array of text, or absent, which is an empty one. */
static bool read_patterns(const json_t *array, struct text patterns[GRANT_PATTERNS_MAX],
			  struct grant_list *ret)
{
	const json_t *one;
	size_t i;

	if (array && !json_is_array(array))
		return false;
	if (json_array_size(array) > GRANT_PATTERNS_MAX)
		return false;
	json_array_foreach(array, i, one)
	{
		if (!json_is_string(one) || json_string_length(one) > GRANT_PATTERN_MAX)
			return false;
		patterns[i] = (struct text){ json_string_value(one),
					     (uint32_t)json_string_length(one) };
	}
	*ret = (struct grant_list){ patterns, json_array_size(array) };
	return true;
}

static bool read_grants(const json_t *claim, struct grants **ret_grants)
{
	struct text join[GRANT_PATTERNS_MAX], send[GRANT_PATTERNS_MAX];
	struct grant_list lists[GRANT_COUNT];

	*ret_grants = NULL;
	if (!claim)
		return true;
	return json_is_object(claim) &&
	       read_patterns(json_object_get(claim, "join"), join, &lists[GRANT_join]) &&
	       read_patterns(json_object_get(claim, "send"), send, &lists[GRANT_send]) &&
	       grants_new(lists, ret_grants) == 0;
}

/* ---- the payload ------------------------------------------------------------------ */

static enum token_verdict judge(const json_t *root, const struct claim_rules *rules,
				int64_t now_ms, struct claims *claims)
{
	enum token_verdict verdict = judge_times(root, rules->leeway_ms, now_ms,
						 &claims->ends_ms);

	if (verdict != TOKEN_good)
		return verdict;
	if (!is_for(json_object_get(root, "aud"), rules->audience))
		return TOKEN_audience;
	if (*rules->issuer && !is_text(json_object_get(root, "iss"), rules->issuer))
		return TOKEN_issuer;
	if (!read_user(json_object_get(root, rules->user), claims->user) ||
	    !read_grants(json_object_get(root, "parley"), &claims->grants))
		return TOKEN_claims;
	return TOKEN_good;
}

enum token_verdict claims_read(const uint8_t *json, size_t len,
			       const struct claim_rules *rules, int64_t now_ms,
			       struct claims *ret)
{
	json_t *root = read_object(json, len);
	enum token_verdict verdict = TOKEN_malformed;
	struct claims claims = { .ends_ms = 0 };

	if (root)
		verdict = judge(root, rules, now_ms, &claims);
	json_decref(root);
	if (verdict == TOKEN_good)
		*ret = claims;
	return verdict;
}
