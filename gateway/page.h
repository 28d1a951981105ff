/*
 * page - a file that browsers get from the gateway, as the parts of it pass it on.
 *
 * All of it lives as long as the program.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>

struct page {
	const char *path; /* "/style.css" */
	const char *type; /* Content-Type */
	const char *etag; /* with its quotes; another one whenever the bytes are others */
	const uint8_t *body;
	size_t len;
};

#endif
