/*
 * accept - what a client says in Accept.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "common/http.h"

/* How much a type is wanted that is named as such, as a rule 0 to 1; -1 if it is not
 * named. Where `versions` are given (up to a NULL), 0 for one that asks for another. */
double accept_quality(const struct http_request *request, const char *type,
		      const char *const *versions);

#endif
