#include "gateway/store/store.h"

#include <errno.h>
#include <string.h>

#include "common/check.h"
#include "gateway/store/backend.h"
#include "gateway/store/postgres.h"
#include "gateway/store/sqlite.h"

/* The one place that knows which back ends there are. */
static const struct {
	const char *scheme; /* how its URLs begin */
	const struct store_backend *backend;
} schemes[] = {
	{ "sqlite:", &sqlite_backend },
	{ "postgresql://", &postgres_backend },
	{ "postgres://", &postgres_backend },
	{ NULL, NULL },
};

static const struct store_backend *backend_of(const char *url)
{
	for (unsigned i = 0; schemes[i].scheme; i++)
		if (!strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)))
			return schemes[i].backend;
	return NULL;
}

int store_open(struct uv_loop_s *loop, const struct store_options *options,
	       const struct store_events *events, struct store **ret_store,
	       struct why *why)
{
	const struct store_backend *backend = backend_of(options->url);
	struct store *store;
	int r;

	CHECK(options->deadline_ms > 0);
	/* Without the text: what is misspelt may hold a password. */
	if (!backend)
		return why_set(why, -EINVAL,
			       "a store is sqlite:PATH or postgresql://HOST/DATABASE");
	r = backend->open(loop, options, events, &store, why);
	if (r < 0)
		return r;
	store->magic = STORE_MAGIC;
	store->backend = backend;
	store->role = options->role;
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	CHECK_OBJ(store, STORE_MAGIC);
	store->magic = 0;
	store->backend->close(store);
}

const char *store_driver(const struct store *store)
{
	CHECK_OBJ(store, STORE_MAGIC);
	return store->backend->driver;
}

int store_commit(struct store *store, struct store_send *sends, unsigned n,
		 store_commit_done *done, void *app)
{
	CHECK_OBJ(store, STORE_MAGIC);
	CHECK(store->role == STORE_WRITER);
	CHECK(n > 0 && n <= STORE_BATCH_MAX);
	return store->backend->commit(store, sends, n, done, app);
}

int store_read(struct store *store, const struct store_query *query,
	       store_read_done *done, void *app)
{
	CHECK_OBJ(store, STORE_MAGIC);
	return store->backend->read(store, query, done, app);
}

int store_probe(struct store *store, store_probe_done *done, void *app)
{
	CHECK_OBJ(store, STORE_MAGIC);
	CHECK(store->role == STORE_WRITER);
	return store->backend->probe(store, done, app);
}
