/*
 * postgres_words - what PostgreSQL says, in our words.
 */
#ifndef POSTGRES_WORDS_H
#define POSTGRES_WORDS_H

#include <stddef.h>

/* The negative errno (see postgres_link.h) for an SQLSTATE; NULL is -EIO. */
int pgwords_errno(const char *sqlstate);

/* One line of what may have been several, cut to fit, without control characters. */
void pgwords_line(const char *words, char *line, size_t size);

#endif
