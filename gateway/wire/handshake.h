/*
 * handshake - judges a request to become a WebSocket, and words the answer.
 *
 * Pure: a request and the rules in, a verdict out. RFC 6455 4.2: GET, HTTP/1.1,
 * Upgrade and Connection, version 13 (else 426 with Sec-WebSocket-Version: 13),
 * exactly one key of 16 bytes in canonical base64, Host, Origin by the list.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http.h"
#include "gateway/message.h"

struct handshake_rules {
	const char *path;    /* "/chat" */
	const char *origins; /* allowed besides the same host, commas; "*" all */
};

struct handshake {
	int status;        /* 101, or the refusal: 400, 401, 403, 404, 405, 426 */
	const char *why;   /* refusal in words, static */
	const char *allow; /* 405: "GET" */
	char accept[29];   /* Sec-WebSocket-Accept */
	bool protocol;     /* the client offered "parley.v1" and gets it back */
	char user[USER_NAME_MAX + 1]; /* open mode: query `user`, else "anonymous" */
};

void handshake_judge(const struct http_request *request,
		     const struct handshake_rules *rules, struct handshake *ret);

/* The 101 answer; returns its length or -ENOSPC. */
int handshake_answer(const struct handshake *handshake, char *out, size_t size);

#endif
