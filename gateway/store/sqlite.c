#include "gateway/store/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/store/sqlite_end.h"
#include "gateway/store/sqlite_read.h"

enum {
	SQLITE_MAGIC = 0x73716c69, /* "sqli" */
};

struct sqlite_store {
	struct store base; /* first */
	unsigned magic;
	struct uv_loop_s *loop;
	struct store_events events;
	char *path;
	struct sqlite_end writing, reading;
	bool is_busy; /* a batch is under way */
};

static struct sqlite_store *of(struct store *store)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	CHECK_OBJ(s, SQLITE_MAGIC);
	return s;
}

/* ---- opening and closing ---- */

static void free_store(struct sqlite_store *store)
{
	store->magic = 0;
	free(store->path);
	free(store);
}

static void on_closed(void *app)
{
	struct sqlite_store *store = app;

	CHECK_OBJ(store, SQLITE_MAGIC);
	if (!store->reading.lane && !store->writing.lane)
		free_store(store);
}

static void on_reader_changed(void *app, bool up, const char *why)
{
	struct sqlite_store *store = app;

	CHECK_OBJ(store, SQLITE_MAGIC);
	if (store->base.role == STORE_READER)
		store->events.changed(store->events.app, up, why);
}

/* A writer reads, too, once the file is there for sure. */
static void on_writer_changed(void *app, bool up, const char *why)
{
	struct sqlite_store *store = app;

	CHECK_OBJ(store, SQLITE_MAGIC);
	if (up && !store->reading.lane)
		(void)end_open(store->loop, &store->reading); /* or next time */
	store->events.changed(store->events.app, up, why);
}

static void set_end(struct sqlite_store *store, struct sqlite_end *end,
		    const struct store_options *options)
{
	end->path = store->path;
	end->writable = end == &store->writing;
	end->deadline_ms = options->deadline_ms;
	end->retain_ms = options->retain_ms;
	end->retain_count = options->retain_count;
	end->short_room = options->short_room;
	end->short_count = options->short_count;
	end->app = store;
	end->changed = end->writable ? on_writer_changed : on_reader_changed;
	end->closed = on_closed;
}

static int check_path(const char *path, struct why *why)
{
	if (!*path)
		return why_set(why, -EINVAL, "sqlite: the name of a file is missing");
	if (!strcmp(path, ":memory:"))
		return why_set(why, -EINVAL, "sqlite::memory: would keep nothing");
	return 0;
}

/* "./": SQLite has a meaning of its own for names such as "file:…". */
static char *plain_path(const char *path)
{
	char *plain;

	if (asprintf(&plain, "%s%s", *path == '/' ? "" : "./", path) < 0)
		return NULL;
	return plain;
}

static int open_store(struct uv_loop_s *loop, const struct store_options *options,
		      const struct store_events *events, struct store **ret_store,
		      struct why *why)
{
	const char *path = options->url + strlen("sqlite:");
	bool writes = options->role == STORE_WRITER;
	struct sqlite_store *store;
	int r = check_path(path, why);

	if (r < 0)
		return r;
	store = calloc(1, sizeof *store);
	if (!store)
		return why_set(why, -ENOMEM, "no memory");
	store->magic = SQLITE_MAGIC;
	store->base.role = options->role;
	store->loop = loop;
	store->events = *events;
	store->path = plain_path(path);
	set_end(store, &store->writing, options);
	set_end(store, &store->reading, options);
	r = store->path ? end_open(loop, writes ? &store->writing : &store->reading)
			: -ENOMEM;
	if (r < 0) {
		free_store(store);
		return why_set(why, r, "sqlite: no thread: %s", strerror(-r));
	}
	*ret_store = &store->base;
	return 0;
}

/* The store stays until its threads have ended. */
static void close_store(struct store *base)
{
	struct sqlite_store *store = of(base);

	end_close(&store->writing);
	end_close(&store->reading);
}

/* ---- a batch ---- */

/* The thread works on a copy of the batch, so that the caller has its own back when it
 * has waited long enough. */
struct commit_job {
	struct lane_job job; /* first */
	struct sqlite_store *store;
	store_commit_done *done;
	void *app;
	struct store_send *sends; /* the caller's */
	unsigned n;
	struct store_send copy[];
};

static int commit_work(struct lane_job *job, void *app)
{
	struct commit_job *commit = (struct commit_job *)job;
	const struct sqlite_end *end = app;

	return write_batch(end->db, commit->copy, commit->n, clock_wall_ms());
}

static void commit_answer(struct lane_job *job, int status)
{
	struct commit_job *commit = (struct commit_job *)job;

	for (unsigned i = 0; i < commit->n && status >= 0; i++) {
		commit->sends[i].message.seq = commit->copy[i].message.seq;
		commit->sends[i].message.at_ms = commit->copy[i].message.at_ms;
		commit->sends[i].repeat = commit->copy[i].repeat;
	}
	commit->store->is_busy = false;
	commit->done(commit->app, status);
}

static void dispose(struct lane_job *job)
{
	free(job); /* first member of each kind of job */
}

static size_t n_bytes(const struct message *m)
{
	return (size_t)m->room.len + m->id.len + m->from.len + m->body.len;
}

static struct text copied(struct text text, char **at)
{
	struct text copy = { *at, text.len };

	if (text.len)
		memcpy(*at, text.at, text.len);
	*at += text.len;
	return copy;
}

static struct commit_job *copy_batch(const struct store_send *sends, unsigned n)
{
	size_t size = sizeof(struct commit_job) + n * sizeof *sends;
	struct commit_job *commit;
	char *at;

	for (unsigned i = 0; i < n; i++)
		size += n_bytes(&sends[i].message);
	commit = calloc(1, size);
	if (!commit)
		return NULL;
	commit->n = n;
	at = (char *)&commit->copy[n];
	for (unsigned i = 0; i < n; i++) {
		const struct message *from = &sends[i].message;
		struct message *to = &commit->copy[i].message;

		to->room = copied(from->room, &at);
		to->id = copied(from->id, &at);
		to->from = copied(from->from, &at);
		to->body = copied(from->body, &at);
	}
	return commit;
}

static int commit(struct store *base, struct store_send *sends, unsigned n,
		  store_commit_done *done, void *app)
{
	struct sqlite_store *store = of(base);
	struct commit_job *commit;
	int r;

	if (store->is_busy)
		return -EBUSY;
	commit = copy_batch(sends, n);
	if (!commit)
		return -ENOMEM;
	commit->job = (struct lane_job){ commit_work, commit_answer, dispose };
	commit->store = store;
	commit->done = done;
	commit->app = app;
	commit->sends = sends;
	r = end_give(&store->writing, &commit->job);
	if (r < 0)
		free(commit);
	else
		store->is_busy = true;
	return r;
}

/* ---- a probe ---- */

struct probe_job {
	struct lane_job job; /* first */
	store_probe_done *done;
	void *app;
};

static int probe_work(struct lane_job *job, void *app)
{
	const struct sqlite_end *end = app;

	return write_probe(end->db, clock_wall_ms());
}

static void probe_answer(struct lane_job *job, int status)
{
	struct probe_job *probe = (struct probe_job *)job;

	probe->done(probe->app, status);
}

static int probe(struct store *base, store_probe_done *done, void *app)
{
	struct sqlite_store *store = of(base);
	struct probe_job *probe;
	int r;

	if (store->is_busy)
		return -EBUSY;
	probe = calloc(1, sizeof *probe);
	if (!probe)
		return -ENOMEM;
	probe->job = (struct lane_job){ probe_work, probe_answer, dispose };
	probe->done = done;
	probe->app = app;
	r = end_give(&store->writing, &probe->job);
	if (r < 0)
		free(probe);
	return r;
}

/* ---- a page ---- */

struct read_job {
	struct lane_job job; /* first */
	store_read_done *done;
	void *app;
	struct store_query query;
	struct page_builder page;
	char room[];
};

static int read_work(struct lane_job *job, void *app)
{
	struct read_job *read = (struct read_job *)job;
	const struct sqlite_end *end = app;

	return read_page(end->db, &read->query, &read->page);
}

static void read_answer(struct lane_job *job, int status)
{
	struct read_job *read = (struct read_job *)job;

	read->done(read->app, status, status < 0 ? NULL : page_end(&read->page));
}

static void read_dispose(struct lane_job *job)
{
	struct read_job *read = (struct read_job *)job;

	page_release(&read->page);
	free(read);
}

static int read_room(struct store *base, const struct store_query *query,
		     store_read_done *done, void *app)
{
	struct sqlite_store *store = of(base);
	struct read_job *read = calloc(1, sizeof *read + query->room.len);
	char *at;
	int r;

	if (!read)
		return -ENOMEM;
	read->job = (struct lane_job){ read_work, read_answer, read_dispose };
	read->done = done;
	read->app = app;
	read->query = *query;
	at = read->room;
	read->query.room = copied(query->room, &at);
	r = end_give(&store->reading, &read->job);
	if (r < 0)
		free(read);
	return r;
}

const struct store_backend sqlite_backend = {
	.driver = "sqlite",
	.open = open_store,
	.close = close_store,
	.commit = commit,
	.read = read_room,
	.probe = probe,
};
