/*
 * mask - takes the mask off what clients send (RFC 6455 5.3), at the memory's speed.
 */
#ifndef MASK_H
#define MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place, and turns the mask to the byte behind, so that a payload may come in any
 * pieces. Returns whether all of it is ASCII: most text needs no second look. */
bool mask_off(uint8_t *data, size_t len, uint8_t mask[4]);

#endif
