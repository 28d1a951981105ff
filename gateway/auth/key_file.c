#include "gateway/auth/key_file.h"

#include "gateway/auth/secret_file.h"

_Static_assert((int)KEYS_TEXT_MAX == (int)SECRET_TEXT_MAX, "a whole file can be parsed");

static int check(const char *text, size_t len, bool *ret_secret, struct why *why)
{
	struct keys *keys = NULL;
	int r = keys_parse(text, len, &keys, why);

	if (r < 0)
		return r;
	*ret_secret = keys_secret(keys);
	keys_free(keys);
	return 0;
}

int key_file_copy(const char *path, int *ret_fd, struct why *why)
{
	static const struct secret_kind kind = { "PARLEY_JWT_KEY_FILE", check };

	return secret_file_copy(&kind, path, ret_fd, why);
}

int key_file_read_copy(int fd, struct keys **ret_keys, struct why *why)
{
	struct secret_text *text = NULL;
	int r = secret_file_read_copy(fd, &text, why);

	if (r == 0)
		r = keys_parse(text->at, text->len, ret_keys, why);
	secret_text_free(text);
	return r;
}
