#include "gateway/auth/token.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/auth/base64url.h"

/* Where the parts are; what is signed is the first two with their dot. */
struct parts {
	struct text header, payload, signature, signed_text;
};

static bool split(struct text token, struct parts *ret)
{
	const char *end = token.at + token.len, *first, *second;

	first = memchr(token.at, '.', token.len);
	second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return false;
	ret->header = (struct text){ token.at, (uint32_t)(first - token.at) };
	ret->payload = (struct text){ first + 1, (uint32_t)(second - first - 1) };
	ret->signature = (struct text){ second + 1, (uint32_t)(end - second - 1) };
	ret->signed_text = (struct text){ token.at, (uint32_t)(second - token.at) };
	return true;
}

/* The key that the header chooses. */
static enum token_verdict find_key(struct text header, const struct keys *keys,
				   const struct key **ret_key)
{
	struct token_header said;
	uint8_t json[TOKEN_HEADER_MAX];
	enum token_verdict verdict;
	int len = base64url_decode(header.at, header.len, json, sizeof json);

	if (len < 0)
		return TOKEN_malformed;
	verdict = claims_header(json, (size_t)len, &said);
	if (verdict != TOKEN_good)
		return verdict;
	*ret_key = keys_find(keys, said.alg, said.has_kid ? said.kid : NULL);
	return *ret_key ? TOKEN_good : TOKEN_key;
}

static enum token_verdict check_signature(const struct parts *parts,
					  const struct key *key)
{
	uint8_t signature[TOKEN_SIGNATURE_MAX];
	int len = base64url_decode(parts->signature.at, parts->signature.len, signature,
				   sizeof signature);

	if (len < 0)
		return TOKEN_malformed;
	return key_verifies(key, parts->signed_text.at, parts->signed_text.len, signature,
			    (size_t)len)
		       ? TOKEN_good
		       : TOKEN_signature;
}

static enum token_verdict read_payload(struct text payload,
				       const struct token_rules *rules, int64_t now_ms,
				       struct claims *ret)
{
	size_t size = base64url_size(payload.len);
	uint8_t *json = malloc(size);
	enum token_verdict verdict = TOKEN_malformed;
	int len = json ? base64url_decode(payload.at, payload.len, json, size) : -1;

	if (len >= 0)
		verdict = claims_read(json, (size_t)len, &rules->claims, now_ms, ret);
	free(json);
	return verdict;
}

enum token_verdict token_verify(struct text token, const struct keys *keys,
				const struct token_rules *rules, int64_t now_ms,
				struct claims *ret)
{
	const struct key *key;
	struct parts parts;
	enum token_verdict verdict;

	if (token.len == 0)
		return TOKEN_missing;
	if (token.len > rules->len_max || !split(token, &parts))
		return TOKEN_malformed;
	verdict = find_key(parts.header, keys, &key);
	if (verdict == TOKEN_good)
		verdict = check_signature(&parts, key);
	if (verdict == TOKEN_good)
		verdict = read_payload(parts.payload, rules, now_ms, ret);
	return verdict;
}
