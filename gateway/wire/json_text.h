/*
 * json_text - finds pieces of JSON text as they are written, without reading them.
 *
 * The text may be nonsense: these stay within it and judge nothing.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>

#include "gateway/message.h"

/* Whether arrays and objects lie within each other deeper than this. */
bool json_too_deep(struct text json, unsigned depth_max);

/* The value of the object's member `name`, as it is written; length 0 for none. */
struct text json_member(struct text json, const char *name);

#endif
