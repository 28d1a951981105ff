/*
 * frames - walks frames of our own making that lie end to end in memory.
 *
 * Unmasked, as frame_head in gateway/wire/frame.h begins them. Not for bytes from a
 * client.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>

/* The whole frame that begins here, bytes. */
size_t frame_length(const uint8_t *frame);

/* The longest run of whole frames in data[0..len) that is at most `max` bytes, or the
 * first frame if that alone is longer. len > 0. *ret_n: how many frames that is. */
size_t frames_run(const uint8_t *data, size_t len, size_t max, uint32_t *ret_n);

#endif
