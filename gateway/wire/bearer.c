#include "gateway/wire/bearer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define SCHEME   "Bearer"
#define PROTOCOL "bearer."
#define QUERY    "access_token="

/* What was found so far. */
struct found {
	struct text token;
	unsigned n;
};

static void add(struct found *found, const char *at, size_t len)
{
	found->token = (struct text){ at, (uint32_t)len };
	found->n++;
}

static bool begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static void look_in_authorization(const char *value, struct found *found)
{
	size_t len = strcspn(value, " ");

	if (len != strlen(SCHEME) || strncasecmp(value, SCHEME, len) != 0)
		return;
	value += len + strspn(value + len, " ");
	add(found, value, strlen(value));
}

static void look_in_protocols(const char *list, struct found *found)
{
	while (*list) {
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (begins(list, len, PROTOCOL))
			add(found, list + strlen(PROTOCOL), len - strlen(PROTOCOL));
		list += len;
	}
}

static void look_in_query(const char *query, struct found *found)
{
	while (*query) {
		size_t len = strcspn(query, "&");

		if (begins(query, len, QUERY))
			add(found, query + strlen(QUERY), len - strlen(QUERY));
		query += len;
		query += *query == '&';
	}
}

int bearer_find(const struct http_request *request, struct text *ret_token)
{
	struct found found = { .token = { "", 0 } };

	for (unsigned i = 0; i < request->n_headers; i++) {
		const struct http_header *header = &request->headers[i];

		if (strcasecmp(header->name, "Authorization") == 0)
			look_in_authorization(header->value, &found);
		else if (strcasecmp(header->name, "Sec-WebSocket-Protocol") == 0)
			look_in_protocols(header->value, &found);
	}
	look_in_query(request->query, &found);
	if (found.n > 1)
		return -EINVAL;
	*ret_token = found.token;
	return 0;
}
