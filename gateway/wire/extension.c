#include "gateway/wire/extension.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define NAME   "permessage-deflate"
#define ANSWER NAME "; server_no_context_takeover; client_no_context_takeover"

enum {
	VALUE_SIZE = 4, /* "15", and what is longer is no value of ours */
	WINDOW_BITS_MIN = 8,
	WINDOW_BITS_MAX = 15,
};

enum parameter {
	SERVER_NO_CONTEXT,
	CLIENT_NO_CONTEXT,
	SERVER_WINDOW,
	CLIENT_WINDOW,
	PARAMETERS
};

static const char *const names[PARAMETERS] = {
	[SERVER_NO_CONTEXT] = "server_no_context_takeover",
	[CLIENT_NO_CONTEXT] = "client_no_context_takeover",
	[SERVER_WINDOW] = "server_max_window_bits",
	[CLIENT_WINDOW] = "client_max_window_bits",
};

/* One offer, as far as it is read. */
struct offer {
	bool fits;     /* so far */
	unsigned seen; /* parameters, by bit */
};

/* ---- RFC 6455 9.1 and RFC 9110 5.6 ------------------------------------------------ */

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Its length; 0: there is none. */
static size_t take_token(const char **at, const char **ret_token)
{
	const char *begin = *at;

	while (is_token_char(**at))
		++*at;
	*ret_token = begin;
	return (size_t)(*at - begin);
}

static bool is(const char *token, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(token, name, len) == 0;
}

/* Instead of a value that is too long to be one of ours. */
static void set_none(char value[VALUE_SIZE])
{
	memcpy(value, "?", 2);
}

/* A quoted string whose text is a token. */
static int take_quoted(const char **at, char value[VALUE_SIZE])
{
	size_t len = 0;

	for (++*at; **at != '"'; ++*at) {
		if (**at == '\\')
			++*at;
		if (!is_token_char(**at))
			return -EINVAL;
		if (len < VALUE_SIZE)
			value[len] = **at;
		len++;
	}
	++*at;
	if (!len)
		return -EINVAL;
	if (len >= VALUE_SIZE)
		set_none(value);
	else
		value[len] = 0;
	return 0;
}

static int take_value(const char **at, char value[VALUE_SIZE])
{
	const char *token;
	size_t len;

	if (**at == '"')
		return take_quoted(at, value);
	len = take_token(at, &token);
	if (!len)
		return -EINVAL;
	set_none(value);
	if (len < VALUE_SIZE) {
		memcpy(value, token, len);
		value[len] = 0;
	}
	return 0;
}

/* ---- RFC 7692 7.1 ------------------------------------------------------------------ */

/* 8 to 15 in decimal; 0: no such value. */
static int window_bits(const char *value)
{
	int bits = 0;

	if (*value == '0')
		return 0;
	for (const char *at = value; *at; at++) {
		if (*at < '0' || *at > '9')
			return 0;
		bits = bits * 10 + (*at - '0');
	}
	return bits >= WINDOW_BITS_MIN && bits <= WINDOW_BITS_MAX ? bits : 0;
}

/* Whether we can meet it; `value` is NULL where there is none. */
static bool can_meet(enum parameter parameter, const char *value)
{
	switch (parameter) {
	case SERVER_NO_CONTEXT:
	case CLIENT_NO_CONTEXT: return !value;
	case SERVER_WINDOW: return value && window_bits(value) >= DEFLATE_WINDOW_BITS;
	case CLIENT_WINDOW: return !value || window_bits(value);
	default: return false;
	}
}

static void judge_parameter(struct offer *offer, const char *name, size_t len,
			    const char *value)
{
	unsigned i = 0;

	while (i < PARAMETERS && !is(name, len, names[i]))
		i++;
	if (i == PARAMETERS || offer->seen & 1u << i || !can_meet(i, value))
		offer->fits = false;
	else
		offer->seen |= 1u << i;
}

static int take_parameter(const char **at, struct offer *offer)
{
	char value[VALUE_SIZE];
	const char *name;
	size_t len;
	bool has_value;

	skip_blanks(at);
	len = take_token(at, &name);
	if (!len)
		return -EINVAL;
	skip_blanks(at);
	has_value = **at == '=';
	if (has_value) {
		++*at;
		skip_blanks(at);
		if (take_value(at, value) < 0)
			return -EINVAL;
		skip_blanks(at);
	}
	judge_parameter(offer, name, len, has_value ? value : NULL);
	return 0;
}

static int take_offer(const char **at, struct offer *offer)
{
	const char *name;
	size_t len = take_token(at, &name);

	if (!len)
		return -EINVAL;
	*offer = (struct offer){ .fits = is(name, len, NAME) };
	skip_blanks(at);
	while (**at == ';') {
		++*at;
		if (take_parameter(at, offer) < 0)
			return -EINVAL;
	}
	return **at == ',' || !**at ? 0 : -EINVAL;
}

static int judge_list(const char *at, struct deflate_terms *terms)
{
	struct offer offer;

	for (;;) {
		at += strspn(at, ", \t"); /* a list may have empty items */
		if (!*at)
			return 0;
		if (take_offer(&at, &offer) < 0)
			return -EINVAL;
		if (offer.fits && !terms->taken) {
			terms->taken = true;
			terms->window_asked = offer.seen & 1u << SERVER_WINDOW;
		}
	}
}

int extension_judge(const struct http_request *request, struct deflate_terms *ret_terms)
{
	struct deflate_terms terms = { .taken = false };

	for (unsigned i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, "Sec-WebSocket-Extensions") ==
			    0 &&
		    judge_list(request->headers[i].value, &terms) < 0)
			return -EINVAL;
	*ret_terms = terms;
	return 0;
}

const char *extension_answer(const struct deflate_terms *terms)
{
	_Static_assert(DEFLATE_WINDOW_BITS == 12, "the answer says so");
	_Static_assert(sizeof ANSWER + 32 < EXTENSION_ANSWER_MAX, "there is room for it");
	return terms->window_asked ? ANSWER "; server_max_window_bits=12" : ANSWER;
}
