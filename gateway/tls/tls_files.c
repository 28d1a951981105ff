#include <errno.h>
#include <string.h>

#include "gateway/auth/secret_file.h"
#include "gateway/tls/pair.h"
#include "gateway/tls/tls.h"

#define CERT_SETTING "PARLEY_TLS_CERT_FILE"
#define KEY_SETTING  "PARLEY_TLS_KEY_FILE"

static int check_chain(const char *text, size_t len, bool *ret_secret, struct why *why)
{
	struct pair pair;
	int r = pair_parse_chain(text, len, &pair, why);

	if (r < 0)
		return r;
	pair_release(&pair);
	/* Some keep the key in the same file. */
	*ret_secret = memmem(text, len, "PRIVATE KEY", strlen("PRIVATE KEY"));
	return 0;
}

static int check_key(const char *text, size_t len, bool *ret_secret, struct why *why)
{
	struct pair pair;
	int r = pair_parse_key(text, len, &pair, why);

	if (r < 0)
		return r;
	pair_release(&pair);
	*ret_secret = true;
	return 0;
}

/* Behind the certificates. PEM does not mind what stands between its blocks. */
static int append_key(struct secret_text *text, const struct secret_text *key,
		      struct why *why)
{
	if (text->len + 1 + key->len > PAIR_TEXT_MAX)
		return why_set(why, -EINVAL,
			       CERT_SETTING " and " KEY_SETTING
					    " are longer than %d bytes together",
			       PAIR_TEXT_MAX);
	text->at[text->len++] = '\n';
	memcpy(text->at + text->len, key->at, key->len);
	text->len += key->len;
	return 0;
}

static int check_both(const struct settings *settings, const struct secret_text *text,
		      struct why *why)
{
	struct why reason;

	if (tls_check(text->at, text->len, &reason) == 0)
		return 0;
	return why_set(why, -EINVAL, CERT_SETTING " is %s and " KEY_SETTING " %s, but %s",
		       settings->tls_cert_file, settings->tls_key_file, reason.text);
}

int tls_read_files(const struct settings *settings, int *ret_fd, struct why *why)
{
	static const struct secret_kind chain_kind = { CERT_SETTING, check_chain };
	static const struct secret_kind key_kind = { KEY_SETTING, check_key };
	struct secret_text *text = NULL, *key = NULL;
	int r;

	if (!*settings->tls_cert_file)
		return secret_text_share(NULL, ret_fd, why);
	r = secret_file_read(&chain_kind, settings->tls_cert_file, &text, why);
	if (r == 0)
		r = secret_file_read(&key_kind, settings->tls_key_file, &key, why);
	if (r == 0)
		r = append_key(text, key, why);
	if (r == 0)
		r = check_both(settings, text, why);
	if (r == 0)
		r = secret_text_share(text, ret_fd, why);
	secret_text_free(text);
	secret_text_free(key);
	return r;
}
