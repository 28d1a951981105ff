/*
 * sse - the framing of Server-Sent Events.
 */
#ifndef SSE_H
#define SSE_H

#include <stddef.h>

/* One event, of a name and of bytes that may have lines; a NUL or a CR in them is left
 * out. Returns its length, not terminated, or -ENOSPC. */
int sse_event(char *out, size_t size, const char *name, const char *data, size_t len);

/* How a stream begins: how soon the client shall come again when it breaks. Returns as
 * above. */
int sse_begin(char *out, size_t size, unsigned retry_ms);

/* A comment, which keeps a connection alive and says nothing. Returns as above. */
int sse_comment(char *out, size_t size);

#endif
