/*
 * accept - what a client says in Accept.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "common/http.h"

/* How much a type is wanted that is named as such, 0 to 1; -1 if it is not named. */
double accept_quality(const struct http_request *request, const char *type);

#endif
