/*
 * backend - what a back end of the store is made of; for gateway/store only.
 *
 * A back end is whole files behind one table of verbs, named in store.c beside the
 * beginning of its URLs. Its own struct begins with a struct store, which store.c fills
 * when `open` has succeeded; each verb does what store.h says of store_<verb>. Checked
 * before: that a store is one, that only a writer writes, that a batch has 1 to
 * STORE_BATCH_MAX messages.
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "gateway/store/store.h"

struct store_backend {
	const char *driver; /* what store_driver() answers */
	/* `options` and `events` are lent for the call, and so are their strings. */
	int (*open)(struct uv_loop_s *loop, const struct store_options *options,
		    const struct store_events *events, struct store **ret_store,
		    struct why *why);
	void (*close)(struct store *store); /* never NULL */
	int (*commit)(struct store *store, struct store_send *sends, unsigned n,
		      store_commit_done *done, void *app);
	int (*read)(struct store *store, const struct store_query *query,
		    store_read_done *done, void *app);
	int (*probe)(struct store *store, store_probe_done *done, void *app);
};

enum {
	STORE_MAGIC = 0x73746f72 /* "stor" */
};

/* First member of every back end's own struct. */
struct store {
	unsigned magic;
	const struct store_backend *backend;
	enum store_role role;
};

#endif
