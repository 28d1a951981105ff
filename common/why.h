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

/* Leaves errno alone. */
void why_write(struct why *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline int why_error(int error)
{
	return error;
}

/*
 * Writes the reason (cut to fit). Returns `error`, so that one line does both:
 * return why_set(why, -EINVAL, "…"); A macro, so that compilers and analysers see
 * that what comes back is the error.
 */
#define why_set(why, error, ...) (why_write(why, __VA_ARGS__), why_error(error))

#endif
