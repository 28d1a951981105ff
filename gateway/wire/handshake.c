#include "gateway/wire/handshake.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/wire/bearer.h"
#include "gateway/wire/utf8.h"

#define PROTOCOL "parley.v1"
/* RFC 6455 1.3: joined to the key before it is hashed. */
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum {
	KEY_BYTES = 16,
	KEY_LEN = 24, /* of its base64 */
	SHA1_BYTES = 20,
	CANARY_KEY_SIZE = 64,
};

static void refuse(struct handshake *handshake, int status, const char *why)
{
	handshake->status = status;
	handshake->why = why;
	if (status == 405)
		handshake->allow = "GET";
	if (status == 426)
		handshake->extra = "Upgrade: websocket\r\n"
				   "Connection: Upgrade\r\n"
				   "Sec-WebSocket-Version: 13\r\n";
}

/* The only header of that name; NULL if there is none or more than one. */
static const char *only_header(const struct http_request *request, const char *name,
			       unsigned *ret_n)
{
	const char *value = http_header(request, name, ret_n);

	return *ret_n == 1 ? value : NULL;
}

/* ---- lists ------------------------------------------------------------------------ */

/* Cuts the next item off a list with commas, without the blanks around it; empty
 * items are skipped. Its length is 0 at the end. */
static size_t next_item(const char **list, const char **ret_item)
{
	const char *at = *list + strspn(*list, ", \t");
	size_t len = strcspn(at, ",");

	*ret_item = at;
	*list = at + len;
	while (len && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	return len;
}

/* Whether the client offers our protocol; protocol names tell case apart. */
static bool offers_protocol(const struct http_request *request, bool *ret_any)
{
	bool ours = false;

	*ret_any = false;
	for (unsigned i = 0; i < request->n_headers; i++) {
		const char *list = request->headers[i].value, *item;
		size_t len;

		if (strcasecmp(request->headers[i].name, "Sec-WebSocket-Protocol") != 0)
			continue;
		*ret_any = true;
		while ((len = next_item(&list, &item)) > 0)
			ours |= len == strlen(PROTOCOL) && !memcmp(item, PROTOCOL, len);
	}
	return ours;
}

/* ---- origin ----------------------------------------------------------------------- */

struct authority {
	const char *host;
	size_t len;
	unsigned long port;
};

/* Splits host[:port] or [v6][:port]; nothing may follow. */
static bool read_authority(const char *text, unsigned long port, struct authority *ret)
{
	size_t len = *text == '[' ? strcspn(text, "]") : strcspn(text, ":/?#@");
	const char *rest = text + len;

	if (*text == '[') {
		if (*rest != ']')
			return false;
		rest++;
		len++;
	}
	*ret = (struct authority){ .host = text, .len = len, .port = port };
	if (*rest == ':' && rest[1]) {
		size_t digits = strspn(++rest, "0123456789");

		if (digits > 5 || rest[digits])
			return false;
		ret->port = strtoul(rest, NULL, 10);
	} else if (*rest && strcmp(rest, ":") != 0) {
		return false;
	}
	return len > 0 && ret->port >= 1 && ret->port <= 65535;
}

static bool same_host(const char *origin, const char *host)
{
	struct authority from, to;
	unsigned long port;

	if (!strncasecmp(origin, "http://", 7))
		port = 80;
	else if (!strncasecmp(origin, "https://", 8))
		port = 443;
	else
		return false;
	origin = strstr(origin, "//") + 2;
	return read_authority(origin, port, &from) && read_authority(host, port, &to) &&
	       from.port == to.port && from.len == to.len &&
	       !strncasecmp(from.host, to.host, to.len);
}

static bool origin_listed(const char *origin, const char *list)
{
	const char *item;
	size_t len;

	while ((len = next_item(&list, &item)) > 0) {
		if (len == 1 && *item == '*')
			return true;
		if (len == strlen(origin) && !strncasecmp(item, origin, len))
			return true;
	}
	return false;
}

static bool judge_origin(const struct http_request *request, const char *host,
			 const char *origins, struct handshake *ret)
{
	unsigned n;
	const char *origin = only_header(request, "Origin", &n);

	if (n == 0)
		return true;
	if (!origin) {
		refuse(ret, 400, "more than one Origin");
		return false;
	}
	if (same_host(origin, host) || origin_listed(origin, origins))
		return true;
	refuse(ret, 403, "origin not allowed");
	return false;
}

/* ---- key and user ----------------------------------------------------------------- */

/* Whether it is what 16 bytes look like in base64: decoded and encoded again it must
 * be the same, so that unused bits are 0. */
static bool key_valid(const char *key)
{
	unsigned char bytes[KEY_BYTES + 2], again[KEY_LEN + 1];

	return strlen(key) == KEY_LEN &&
	       EVP_DecodeBlock(bytes, (const unsigned char *)key, KEY_LEN) ==
		       sizeof(bytes) &&
	       EVP_EncodeBlock(again, bytes, KEY_BYTES) == KEY_LEN &&
	       !memcmp(again, key, KEY_LEN);
}

static bool accept_of(const char *key, char accept[29])
{
	unsigned char digest[SHA1_BYTES];
	char joined[KEY_LEN + sizeof(ACCEPT_GUID)];

	(void)snprintf(joined, sizeof(joined), "%s%s", key, ACCEPT_GUID);
	if (!EVP_Digest(joined, strlen(joined), digest, NULL, EVP_sha1(), NULL))
		return false;
	(void)EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
	return true;
}

static bool has_control(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++)
		/* C2 80 to C2 9F are U+0080 to U+009F. */
		if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
			return true;
	return false;
}

static bool judge_token(const struct http_request *request, struct handshake *ret)
{
	if (bearer_find(request, &ret->token) == 0)
		return true;
	refuse(ret, 400, "more than one token");
	return false;
}

static bool judge_user(const char *query, struct handshake *ret)
{
	int len = http_query(query, "user", ret->user, sizeof(ret->user));

	if (len == -ENOENT) {
		(void)snprintf(ret->user, sizeof(ret->user), "anonymous");
		return true;
	}
	if (len > 0 && utf8_valid(ret->user, (size_t)len) && !has_control(ret->user))
		return true;
	refuse(ret, 400,
	       len == -ENAMETOOLONG ? "user name too long" : "user name not valid");
	return false;
}

/* A word for statistics only: no reason to refuse anybody. */
static void read_was(const char *query, struct handshake *ret)
{
	if (http_query(query, "was", ret->was, sizeof(ret->was)) < 0)
		ret->was[0] = '\0';
}

static bool judge_canary(const char *query, const char *key, struct handshake *ret)
{
	char said[CANARY_KEY_SIZE];
	int len = http_query(query, "canary", said, sizeof(said));

	ret->canary = len != -ENOENT;
	if (len == -ENOENT || (len > 0 && key && strcmp(said, key) == 0))
		return true;
	refuse(ret, 403, "not a canary of this gateway");
	return false;
}

/* ---- the request ------------------------------------------------------------------ */

static bool judge_start(const struct http_request *request, const char *path,
			struct handshake *ret)
{
	if (strcmp(request->path, path) != 0)
		refuse(ret, 404, "no such path");
	else if (strcmp(request->method, "GET") != 0)
		refuse(ret, 405, "a handshake is a GET");
	else if (request->minor != 1)
		refuse(ret, 400, "a handshake is HTTP/1.1");
	else if (request->body_len)
		refuse(ret, 400, "a handshake has no body");
	else if (!http_header_has(request, "Upgrade", "websocket") ||
		 !http_header_has(request, "Connection", "upgrade"))
		refuse(ret, 426, "only WebSocket is spoken here");
	else
		return true;
	return false;
}

static bool judge_websocket(const struct http_request *request,
			    const struct handshake_rules *rules, struct handshake *ret)
{
	unsigned n;
	bool offers;
	const char *version = only_header(request, "Sec-WebSocket-Version", &n), *key;

	if (n > 1)
		refuse(ret, 400, "more than one Sec-WebSocket-Version");
	else if (!version || strcmp(version, "13") != 0)
		refuse(ret, 426, "only version 13 is spoken here");
	else if (!(key = only_header(request, "Sec-WebSocket-Key", &n)) ||
		 !key_valid(key))
		refuse(ret, 400, "Sec-WebSocket-Key must be 16 bytes in base64, once");
	else if (!(ret->protocol = offers_protocol(request, &offers)) && offers)
		refuse(ret, 400, "only the protocol " PROTOCOL " is spoken here");
	else if (rules->deflate && extension_judge(request, &ret->deflate) < 0)
		refuse(ret, 400, "Sec-WebSocket-Extensions is no list of extensions");
	else if (!accept_of(key, ret->accept))
		refuse(ret, 500, "out of memory");
	else
		return true;
	return false;
}

void handshake_judge(const struct http_request *request,
		     const struct handshake_rules *rules, struct handshake *ret)
{
	unsigned n;
	const char *host = only_header(request, "Host", &n);

	*ret = (struct handshake){ .status = 0 };
	if (!judge_start(request, rules->path, ret) ||
	    !judge_websocket(request, rules, ret))
		return;
	if (!host || !*host) {
		refuse(ret, 400, "Host must be there once");
		return;
	}
	if ((rules->tokens ? judge_token(request, ret)
			   : judge_user(request->query, ret)) &&
	    judge_origin(request, host, rules->origins, ret) &&
	    judge_canary(request->query, rules->canary, ret)) {
		read_was(request->query, ret);
		ret->status = 101;
	}
}

int handshake_answer(const struct handshake *handshake, char *out, size_t size)
{
	char worker[32] = "", deflate[EXTENSION_ANSWER_MAX + 32] = "";
	int len;

	if (handshake->canary)
		(void)snprintf(worker, sizeof(worker), "Parley-Worker: %u\r\n",
			       handshake->worker);
	if (handshake->deflate.taken)
		(void)snprintf(deflate, sizeof(deflate),
			       "Sec-WebSocket-Extensions: %s\r\n",
			       extension_answer(&handshake->deflate));
	len = snprintf(out, size,
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\n"
		       "Connection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: %s\r\n"
		       "%s%s%s\r\n",
		       handshake->accept,
		       handshake->protocol ? "Sec-WebSocket-Protocol: " PROTOCOL "\r\n"
					   : "",
		       deflate, worker);

	return (size_t)len < size ? len : -ENOSPC;
}
