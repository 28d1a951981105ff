#include <stdlib.h>
#include <string.h>

#include "common/http_strict.h"

static char *cut(char *at, char *end)
{
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Splits fields in place; the lines were checked when they came. */
static void split_fields(struct http_request *request, char *at)
{
	while (*at != '\r') {
		struct http_header *header = &request->headers[request->n_headers++];
		char *colon = strchr(at, ':');
		char *end = strchr(colon, '\r');

		*colon = '\0';
		header->name = at;
		header->value = cut(colon + 1, end);
		at = end + 2;
	}
}

struct http_request *http_split_head(const char *head, size_t len)
{
	const char *sent_target = strchr(head, ' ') + 1;
	const size_t target_len = (size_t)(strchr(sent_target, ' ') - sent_target);
	/* Behind the head: path and query once more, with a '/' in front if need be. */
	struct http_request *request = malloc(sizeof *request + len + 1 + target_len + 2);
	char *text, *target, *path, *query;
	const char *from;

	if (!request)
		return NULL;
	memset(request, 0, sizeof *request);
	text = (char *)(request + 1);
	memcpy(text, head, len);
	text[len] = '\0';
	target = text + (sent_target - head);
	target[-1] = '\0';
	target[target_len] = '\0';

	path = text + len + 1;
	*path = '/';
	from = http_target_path(target);
	memcpy(path + 1, from, strlen(from) + 1);
	if (path[1] == '/' || path[1] == '*')
		path++;
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	request->method = text;
	request->target = target;
	request->path = path;
	request->query = query ? query : "";
	request->minor = (unsigned)(target[target_len + sizeof "HTTP/1."] - '0');
	split_fields(request, strchr(target + target_len + 1, '\n') + 1);
	return request;
}
