/*
 * deflate - one message compressed, or restored, by itself (RFC 7692 7.2); the one user
 * of zlib.
 *
 * Nothing is remembered from one message to the next, so that one of each serves all
 * links of a worker, and a compressed message all its receivers.
 */
#ifndef DEFLATE_H
#define DEFLATE_H

#include <stddef.h>
#include <stdint.h>

struct deflater;
struct inflater;

/* -ENOMEM. */
int deflater_new(struct deflater **ret_deflater);
void deflater_free(struct deflater *deflater);

/* Place that compressing so many bytes may take. */
size_t deflater_bound(struct deflater *deflater, size_t len);

/* Compresses into `out`, which has that place, without the four bytes that every message
 * ends with; returns the length. len > 0. */
size_t deflater_run(struct deflater *deflater, const void *data, size_t len,
		    uint8_t *out);

/* For messages that have at most `max` bytes restored. -ENOMEM. */
int inflater_new(size_t max, struct inflater **ret_inflater);
void inflater_free(struct inflater *inflater);

/*
 * Restores a message; *ret_data is lent until the next call. -EMSGSIZE: it has more than
 * the most, found out at the first byte beyond. -EBADMSG: it is no whole message.
 * -ENOMEM.
 */
int inflater_run(struct inflater *inflater, const uint8_t *data, size_t len,
		 const uint8_t **ret_data, size_t *ret_len);

#endif
