#include "gateway/auth/api_keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/auth/secret_file.h"

enum {
	HASH_SIZE = 32 /* of SHA-256 */
};

struct api_keys {
	unsigned n;
	struct api_key {
		char name[USER_NAME_MAX + 1];
		uint8_t hash[HASH_SIZE];
	} keys[API_KEYS_MAX];
};

static int hash(struct text key, uint8_t out[HASH_SIZE])
{
	unsigned len;

	if (EVP_Digest(key.at, key.len, out, &len, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	return 0;
}

/* ---- reading -------------------------------------------------------------------- */

static bool is_graphic(struct text text)
{
	for (uint32_t i = 0; i < text.len; i++)
		if (text.at[i] < 0x21 || text.at[i] > 0x7e)
			return false;
	return true;
}

static int check_name(struct text name, unsigned line, struct why *why)
{
	if (!name.len || name.len > USER_NAME_MAX || !is_graphic(name))
		return why_set(why, -EINVAL,
			       "line %u does not begin with a name of 1 to %d graphic "
			       "ASCII characters and a colon",
			       line, USER_NAME_MAX);
	return 0;
}

static int check_key(struct text key, unsigned line, struct why *why)
{
	if (!is_graphic(key))
		return why_set(why, -EINVAL,
			       "the key in line %u has characters that are not graphic "
			       "ASCII",
			       line);
	if (key.len < API_KEY_MIN || key.len > API_KEY_MAX)
		return why_set(why, -EINVAL,
			       "the key in line %u has %u characters, but must have %d "
			       "to %d",
			       line, key.len, API_KEY_MIN, API_KEY_MAX);
	return 0;
}

static int add(struct api_keys *keys, struct text name, struct text key, unsigned line,
	       struct why *why)
{
	struct api_key *place = &keys->keys[keys->n];

	if (keys->n == API_KEYS_MAX)
		return why_set(why, -EINVAL, "it has more than %d keys", API_KEYS_MAX);
	if (api_keys_find(keys, key))
		return why_set(why, -EINVAL, "the key in line %u was there before", line);
	if (hash(key, place->hash) < 0)
		return why_set(why, -ENOMEM, "there is no memory for keys");
	memcpy(place->name, name.at, name.len);
	place->name[name.len] = '\0';
	keys->n++;
	return 0;
}

static int read_line(struct api_keys *keys, struct text text, unsigned line,
		     struct why *why)
{
	const char *colon = memchr(text.at, ':', text.len);
	struct text name = { text.at, colon ? (uint32_t)(colon - text.at) : 0 };
	struct text key;
	int r;

	if (!text.len || text.at[0] == '#')
		return 0;
	r = check_name(name, line, why);
	if (r < 0)
		return r;
	key = (struct text){ colon + 1, text.len - name.len - 1 };
	r = check_key(key, line, why);
	if (r < 0)
		return r;
	return add(keys, name, key, line, why);
}

static int read_lines(struct api_keys *keys, const char *text, size_t len,
		      struct why *why)
{
	const char *end = text + len;
	int r = 0;

	for (unsigned line = 1; text < end && r == 0; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		stop = stop ? stop : end;
		r = read_line(keys, (struct text){ text, (uint32_t)(stop - text) }, line,
			      why);
		text = stop < end ? stop + 1 : end;
	}
	if (r == 0 && !keys->n)
		r = why_set(why, -EINVAL, "it has no line `name:key`");
	return r;
}

int api_keys_parse(const char *text, size_t len, struct api_keys **ret_keys,
		   struct why *why)
{
	struct api_keys *keys = calloc(1, sizeof *keys);
	int r;

	if (!keys)
		return why_set(why, -ENOMEM, "there is no memory for keys");
	if (len > SECRET_TEXT_MAX)
		r = why_set(why, -EINVAL, "it is longer than %d bytes", SECRET_TEXT_MAX);
	else
		r = read_lines(keys, text, len, why);
	if (r < 0)
		api_keys_free(keys);
	else
		*ret_keys = keys;
	return r;
}

void api_keys_free(struct api_keys *keys)
{
	free(keys);
}

/* ---- the file ------------------------------------------------------------------- */

static int check(const char *text, size_t len, bool *ret_secret, struct why *why)
{
	struct api_keys *keys = NULL;
	int r = api_keys_parse(text, len, &keys, why);

	*ret_secret = true;
	api_keys_free(keys);
	return r;
}

int api_keys_read(const struct settings *settings, int *ret_fd, struct why *why)
{
	static const struct secret_kind kind = { "PARLEY_API_KEY_FILE", check };

	return secret_file_copy(&kind,
				*settings->api_key_file ? settings->api_key_file : NULL,
				ret_fd, why);
}

int api_keys_new(const struct settings *settings, int fd, struct api_keys **ret_keys,
		 struct why *why)
{
	struct secret_text *text = NULL;
	int r;

	*ret_keys = NULL;
	if (!*settings->api_key_file)
		return 0;
	r = secret_file_read_copy(fd, &text, why);
	if (r == 0)
		r = api_keys_parse(text->at, text->len, ret_keys, why);
	secret_text_free(text);
	return r;
}

/* ---- asking --------------------------------------------------------------------- */

const char *api_keys_find(const struct api_keys *keys, struct text key)
{
	const char *name = NULL;
	uint8_t asked[HASH_SIZE];

	if (hash(key, asked) < 0)
		return NULL;
	for (unsigned i = 0; i < keys->n; i++)
		if (CRYPTO_memcmp(keys->keys[i].hash, asked, HASH_SIZE) == 0)
			name = keys->keys[i].name;
	return name;
}
