/*
 * clock - the two clocks.
 *
 * Everything that measures uses the monotonic clock; the wall clock is only
 * ever shown (`timestamp`, `at`). Pure modules take the time as a parameter.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define MS_NS 1000000ull /* nanoseconds in a millisecond */

/* Monotonic, nanoseconds, of this process's time namespace. */
uint64_t clock_mono_ns(void);

/* Wall clock, milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

/* Waits so long, or until a signal comes: for who looks again and again. */
void clock_nap_ms(unsigned ms);

/* RFC 3339 in UTC with milliseconds, "2026-08-26T06:04:59.000Z". */
#define CLOCK_TEXT_SIZE 32
void clock_wall_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

#endif
