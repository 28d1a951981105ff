#include "gateway/auth/keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/auth/base64url.h"

struct keys {
	size_t n;
	bool named; /* at least one has a kid */
	struct key *keys[KEYS_MAX];
};

int keys_add(struct keys *keys, struct key *key, struct why *why)
{
	struct key *kept = malloc(sizeof *kept);
	int r = kept ? 0 : why_set(why, -ENOMEM, "no memory for keys");

	for (size_t i = 0; i < keys->n && r == 0; i++)
		if (keys->keys[i]->alg == key->alg &&
		    strcmp(keys->keys[i]->kid, key->kid) == 0)
			r = why_set(why, -EINVAL,
				    "two keys for %s cannot be told apart; a JWKS gives "
				    "each a kid",
				    key_alg_name(key->alg));
	if (r == 0 && keys->n == KEYS_MAX)
		r = why_set(why, -EINVAL, "there are more than %d keys", KEYS_MAX);
	if (r == 0) {
		*kept = *key;
		OPENSSL_cleanse(key, sizeof *key);
		keys->keys[keys->n++] = kept;
		keys->named |= *kept->kid != '\0';
	} else {
		key_release(key);
		free(kept);
	}
	return r;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->n; i++) {
		key_release(keys->keys[i]);
		free(keys->keys[i]);
	}
	free(keys);
}

const struct key *keys_find(const struct keys *keys, enum key_alg alg, const char *kid)
{
	const struct key *found = NULL;

	for (size_t i = 0; i < keys->n; i++) {
		const struct key *key = keys->keys[i];

		if (key->alg != alg)
			continue;
		if (kid && keys->named && strcmp(key->kid, kid) != 0)
			continue;
		if (found)
			return NULL;
		found = key;
	}
	return found;
}

bool keys_secret(const struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->keys[i]->alg == ALG_HS256)
			return true;
	return false;
}

size_t keys_count(const struct keys *keys)
{
	return keys->n;
}

/* ---- a secret on a line ----------------------------------------------------------- */

/* Makes base64 what base64url would be. Returns its length. */
static size_t to_base64url(const char *text, size_t len, char *out)
{
	while (len && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return len;
}

static int decode_secret(const char *text, size_t len, uint8_t *out, size_t size)
{
	char url[KEY_SECRET_MAX * 4 / 3 + 4];
	int n = -EINVAL;

	if (len <= sizeof url)
		n = base64url_decode(url, to_base64url(text, len, url), out, size);
	OPENSSL_cleanse(url, sizeof url);
	return n;
}

static int read_base64(const char *text, size_t len, struct key *key, struct why *why)
{
	uint8_t secret[KEY_SECRET_MAX];
	int r;

	while (len && strchr(" \t", *text)) {
		text++;
		len--;
	}
	while (len && strchr(" \t", text[len - 1]))
		len--;
	r = decode_secret(text, len, secret, sizeof secret);
	if (r < 0)
		return why_set(why, -EINVAL,
			       "what follows HS256: is not a secret in base64");
	r = key_set_secret(key, secret, (size_t)r, why);
	OPENSSL_cleanse(secret, sizeof secret);
	return r;
}

/* `text` is behind the colon. Nothing but blanks follows the line. */
static int read_secret(struct keys *keys, const char *text, bool raw, struct why *why)
{
	size_t len = strcspn(text, "\r\n");
	struct key key;
	int r;

	if (text[len + strspn(text + len, " \t\r\n")])
		return why_set(why, -EINVAL, "there is more than one line with a secret");
	r = raw ? key_set_secret(&key, (const uint8_t *)text, len, why)
		: read_base64(text, len, &key, why);
	return r < 0 ? r : keys_add(keys, &key, why);
}

/* ---- which kind ------------------------------------------------------------------- */

static int read_any(struct keys *keys, const char *text, size_t len, struct why *why)
{
	static const char secret[] = "HS256:", raw[] = "HS256-RAW:";
	size_t blank = strspn(text, " \t\r\n");

	if (strlen(text) != len)
		return why_set(why, -EINVAL, "a file with keys is text, without NUL");
	text += blank;
	len -= blank;
	if (strncmp(text, secret, sizeof secret - 1) == 0)
		return read_secret(keys, text + sizeof secret - 1, false, why);
	if (strncmp(text, raw, sizeof raw - 1) == 0)
		return read_secret(keys, text + sizeof raw - 1, true, why);
	if (*text == '{')
		return keys_read_jwk(keys, text, len, why);
	if (strstr(text, "-----BEGIN "))
		return keys_read_pem(keys, text, len, why);
	return why_set(why, -EINVAL,
		       "it is neither PEM public keys nor a JWKS nor a line with "
		       "HS256: and a secret");
}

int keys_parse(const char *text, size_t len, struct keys **ret_keys, struct why *why)
{
	struct keys *keys = calloc(1, sizeof *keys);
	char *copy = strndup(text, len > KEYS_TEXT_MAX ? 0 : len);
	int r;

	if (!keys || !copy)
		r = why_set(why, -ENOMEM, "no memory for keys");
	else if (len > KEYS_TEXT_MAX)
		r = why_set(why, -EINVAL, "it is longer than %d bytes", KEYS_TEXT_MAX);
	else
		r = read_any(keys, copy, len, why);
	if (r == 0 && keys->n == 0)
		r = why_set(why, -EINVAL, "none of its keys can verify a token");
	if (copy)
		OPENSSL_cleanse(copy, strlen(copy));
	free(copy);
	if (r < 0)
		keys_free(keys);
	else
		*ret_keys = keys;
	return r;
}
