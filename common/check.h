/*
 * check - what must be true; a false one is our bug and stops the process.
 *
 * Never for input: network, disk, settings, database and the segment as its
 * readers see it are answered with an error. Never compiled out.
 */
#ifndef CHECK_H
#define CHECK_H

/* Says where and what on stderr, in one write, and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *what);

#define CHECK(e) ((e) ? (void)0 : check_failed(__FILE__, __LINE__, #e))

/* The object behind a void pointer, proved by the number it carries. */
#define CHECK_OBJ(p, MAGIC) CHECK((p) && (p)->magic == (MAGIC))

#endif
