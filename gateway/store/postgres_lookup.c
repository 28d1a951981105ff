#include "gateway/store/postgres_lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

enum {
	NAME_SIZE = 256,
	ADDRESS_SIZE = 64,
};

struct pglookup {
	uv_getaddrinfo_t request;
	uv_loop_t *loop;
	struct pq_places asked; /* hosts and ports, as the URL has them */
	struct pq_places found;
	const char *host_at, *port_at; /* how far it has come; NULL: to the end */
	char host[NAME_SIZE], port[NAME_SIZE];
	char why[NAME_SIZE + 128];
	pglookup_done *done; /* NULL: nobody wants to know */
	void *app;
};

/* ---- lists with commas ---- */

static unsigned n_items(const char *list)
{
	unsigned n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

/* The next item of the list; *at is NULL after the last. */
static void take(const char **at, char *item, size_t size)
{
	const char *comma = strchr(*at, ',');
	size_t len = comma ? (size_t)(comma - *at) : strlen(*at);

	(void)snprintf(item, size, "%.*s", (int)len, *at);
	*at = comma ? comma + 1 : NULL;
}

static bool fits(const char *list, size_t size, const char *item)
{
	return strlen(list) + 1 + strlen(item) < size;
}

static void append(char *list, size_t size, const char *item, bool first)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", first ? "" : ",", item);
}

/* What does not fit is left out, of all three lists. */
static void add(struct pglookup *l, const char *address)
{
	struct pq_places *f = &l->found;
	bool first = f->n == 0;

	if (!fits(f->hosts, sizeof f->hosts, l->host) ||
	    !fits(f->ports, sizeof f->ports, l->port) ||
	    !fits(f->addresses, sizeof f->addresses, address))
		return;
	append(f->hosts, sizeof f->hosts, l->host, first);
	append(f->ports, sizeof f->ports, l->port, first);
	append(f->addresses, sizeof f->addresses, address, first);
	f->n++;
}

/* ---- looking up ---- */

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses);

static bool is_path(const char *host)
{
	return host[0] == '/' || host[0] == '@' || host[0] == '\0';
}

/* On to the next host that has to be looked up; true when one is. */
static bool go_on(struct pglookup *l)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	while (l->host_at) {
		take(&l->host_at, l->host, sizeof l->host);
		if (l->port_at) /* one port is for all hosts */
			take(&l->port_at, l->port, sizeof l->port);
		if (is_path(l->host))
			add(l, "");
		else if (uv_getaddrinfo(l->loop, &l->request, on_found, l->host, NULL,
					&hints) == 0)
			return true;
	}
	return false;
}

static void finish(struct pglookup *l)
{
	if (l->done)
		l->done(l->app, l->found.n ? &l->found : NULL, l->why);
	free(l);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
	struct pglookup *l = request->data;
	char address[ADDRESS_SIZE];

	if (status < 0)
		(void)snprintf(l->why, sizeof l->why,
			       "the host \"%s\" has no address: %s", l->host,
			       uv_strerror(status));
	for (const struct addrinfo *a = addresses; a; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof address, NULL,
				0, NI_NUMERICHOST) == 0)
			add(l, address);
	uv_freeaddrinfo(addresses);
	if (!l->done || !go_on(l))
		finish(l);
}

/* ---- life ---- */

int pglookup_begin(struct uv_loop_s *loop, const char *url, pglookup_done *done,
		   void *app, struct pglookup **ret_lookup)
{
	struct pglookup *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	/* As many ports as hosts, or one; what else there is libpq will refuse. */
	if (!pq_places_of(url, &l->asked) ||
	    (n_items(l->asked.ports) != 1 &&
	     n_items(l->asked.ports) != n_items(l->asked.hosts))) {
		free(l);
		return 0;
	}
	(void)snprintf(l->why, sizeof l->why, "no host of the URL has an address");
	l->loop = loop;
	l->request.data = l;
	l->host_at = l->asked.hosts;
	l->port_at = l->asked.ports;
	if (!go_on(l)) { /* sockets only */
		free(l);
		return 0;
	}
	l->done = done;
	l->app = app;
	*ret_lookup = l;
	return 1;
}

void pglookup_forget(struct pglookup *lookup)
{
	if (!lookup)
		return;
	lookup->done = NULL;
	/* What a thread is busy with cannot be cancelled; it ends by itself. */
	(void)uv_cancel((uv_req_t *)&lookup->request);
}
