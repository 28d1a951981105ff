/*
 * pair - a certificate with its chain, and the private key that belongs to it.
 *
 * Read from one text in PEM: the certificates, that of the gateway first and each
 * followed by its issuer's, and one key without a passphrase.
 */
#ifndef PAIR_H
#define PAIR_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

enum {
	PAIR_TEXT_MAX = 262144, /* bytes of the text */
	PAIR_CHAIN_MAX = 16,    /* certificates behind the first */
};

/* Zeroed is empty. */
struct pair {
	X509 *certificate;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	int64_t ends_s; /* when the first of them to end does, since 1970 */
};

/* Whether certificates alone, or the key alone, can be read. -EINVAL with the reason. */
int pair_parse_chain(const char *text, size_t len, struct pair *ret_pair,
		     struct why *why);
int pair_parse_key(const char *text, size_t len, struct pair *ret_pair, struct why *why);

/* Both, which fit together. -EINVAL with the reason, which shows nothing of it. */
int pair_parse(const char *text, size_t len, struct pair *ret_pair, struct why *why);

void pair_release(struct pair *pair);

#endif
