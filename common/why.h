/*
 * why - the reason of a failure, in words for a person.
 *
 * A function that can fail in ways worth explaining takes a `struct why *` as
 * its last parameter, fills it only when it fails, and returns a negative
 * errno beside it. NULL is accepted everywhere: the reason is then dropped.
 */
#ifndef WHY_H
#define WHY_H

struct why {
	char text[256]; /* one sentence, no newline, always terminated */
};

/* Writes the reason (cut to fit). Returns `error`, so that one line does both:
 * return why_set(why, -EINVAL, "…"); */
int why_set(struct why *why, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
