/*
 * handshake - judges a request to become a WebSocket, and words the answer.
 *
 * Pure: a request and the rules in, a verdict out. In this order: the path (else
 * 404), GET (405), HTTP/1.1 and no body (400), Upgrade and Connection (426), one
 * Sec-WebSocket-Version (400 if several, 426 unless 13), one key of 16 bytes in
 * canonical base64, parley.v1 among the protocols if any are offered, a user that
 * can be one (400), and the Origin (403). Where tokens are asked for, there is no user
 * yet but at most one token (else 400); what it is worth is for others to judge.
 * Query `canary`, if there is one, must be the key of canaries (else 403).
 *
 * Origin: absent (no browser) is allowed; so is the same host and port as in Host,
 * where a missing port means that of the origin's scheme; so is what the list names,
 * where `null` stands for opaque origins and `*` for all of them.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http.h"
#include "gateway/message.h"
#include "gateway/wire/extension.h"

struct handshake_rules {
	const char *path;    /* "/chat" */
	const char *origins; /* allowed besides the same host, commas; "*" all */
	bool tokens;         /* a token names the user, not the query */
	const char *canary;  /* what a canary says in the query; NULL: none is let in */
	bool deflate;        /* messages may be compressed; see extension.h */
};

struct grants;

enum {
	SESSION_NAME_MAX = 32
};

struct handshake {
	int status; /* 101, or the refusal: 400, 403, 404, 405, 426 (500: no memory) */
	const char *why;   /* refusal in words, static */
	const char *allow; /* 405: "GET"; for http_answer */
	const char *extra; /* 426: header lines, static; for http_answer */
	char accept[29];   /* Sec-WebSocket-Accept */
	struct deflate_terms deflate;
	bool protocol; /* the client offered "parley.v1" and gets it back */
	bool canary;   /* healthd's; it is told the worker, which is filled in later */
	unsigned worker;
	char user[USER_NAME_MAX + 1]; /* open mode: query `user`, else "anonymous" */
	/* Query `was`: the session that the client says it had; "" for none, and for what
	 * can be none. */
	char was[SESSION_NAME_MAX + 1];
	struct text token; /* with rules.tokens: lent by the request; empty if none */
	/* What the token is worth, from who judges it. */
	struct grants *grants; /* NULL: all rooms */
	int64_t ends_ms;       /* wall clock; 0: never */
};

void handshake_judge(const struct http_request *request,
		     const struct handshake_rules *rules, struct handshake *ret);

/* The 101 answer; returns its length or -ENOSPC. */
int handshake_answer(const struct handshake *handshake, char *out, size_t size);

#endif
