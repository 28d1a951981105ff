/*
 * api_keys - who may use the HTTP API: the keys of backends, one a line as `name:key`.
 *
 * The name stands for the backend; it has several keys while they are rotated. Lines that
 * are empty or begin with `#` are passed over. A worker keeps only what keys hash to, and
 * looks at all of them whatever it is asked for: the time that it takes tells nothing.
 * They are handed on as auth.h has it for tokens.
 */
#ifndef API_KEYS_H
#define API_KEYS_H

#include <stddef.h>

#include "common/settings.h"
#include "common/why.h"
#include "gateway/message.h"

enum {
	API_KEYS_MAX = 64,
	API_KEY_MIN = 32, /* characters: graphic ASCII */
	API_KEY_MAX = 256,
};

struct api_keys;

/* Reads PARLEY_API_KEY_FILE, checks it, and returns a new descriptor with a copy (close
 * on exec); an empty one where it is not set. As auth_read_keys. */
int api_keys_read(const struct settings *settings, int *ret_fd, struct why *why);

/* The worker's end, with the keys of that descriptor, which stays the caller's. *ret_keys
 * is NULL where the setting is empty: there is no API. */
int api_keys_new(const struct settings *settings, int fd, struct api_keys **ret_keys,
		 struct why *why);
void api_keys_free(struct api_keys *keys);

/* -EINVAL with the reason, which never shows what was read; -ENOMEM. */
int api_keys_parse(const char *text, size_t len, struct api_keys **ret_keys,
		   struct why *why);

/* The name whose key this is, lent as long as the keys are; NULL: nobody's. */
const char *api_keys_find(const struct api_keys *keys, struct text key);

#endif
