#include "gateway/store/postgres_session.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/postgres_sql.h"

static struct pgsession *session_of(struct pgcall *call)
{
	return (struct pgsession *)((char *)call - offsetof(struct pgsession, call));
}

static void go(struct pgsession *s,
	       void (*rows)(struct pgcall *, unsigned, const struct pgrows *),
	       void (*done)(struct pgcall *, int))
{
	s->call.rows = rows;
	s->call.done = done;
	pglink_end(s->link, &s->call, 0);
}

/* Whether to go on after a step. What was lost was told already. */
static bool is_good(struct pgsession *s, int status)
{
	if (status < 0 && status != -ENOTCONN && status != -ETIMEDOUT)
		snprintf(s->why, sizeof s->why, "%s", pglink_said(s->link));
	if (status == 0 && !s->why[0])
		return true;
	if (status != -ENOTCONN)
		pglink_fail(s->link, s->why);
	return false;
}

/* ---- 4: the statements ---- */

static void on_prepared(struct pgcall *call, int status)
{
	struct pgsession *s = session_of(call);

	if (!is_good(s, status))
		return;
	pglink_ready(s->link);
	s->ready(s->app);
}

static void prepare(struct pgsession *s)
{
	char timeout[64];

	for (const struct pgsql *p = pgsql_statements; p->name; p++)
		pglink_prepare(s->link, p->name, p->sql);
	/* What we no longer wait for holds no locks. Not before: a migration may take
	 * its time. */
	snprintf(timeout, sizeof timeout, "set statement_timeout = %llu",
		 (unsigned long long)s->deadline_ms);
	pglink_query(s->link, timeout);
	go(s, NULL, on_prepared);
}

/* ---- 3: the migration ---- */

static void on_migrated(struct pgcall *call, int status)
{
	struct pgsession *s = session_of(call);

	if (is_good(s, status))
		prepare(s);
}

static void migrate(struct pgsession *s)
{
	for (int64_t v = s->version; v < PGSQL_VERSION; v++) {
		for (const char *const *sql = pgsql_migrations[v]; *sql; sql++)
			pglink_query(s->link, *sql);
		pglink_query(s->link, pgsql_version_next);
	}
	pglink_query(s->link, pgsql_commit);
	go(s, NULL, on_migrated);
}

/* ---- 2: the version ---- */

static void on_version(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgsession *s = session_of(call);

	(void)nth; /* the only rows with a version are the last */
	if (pgrows_n(rows) == 1)
		s->version = pgrows_int(rows, 0, 0);
}

static void on_versioned(struct pgcall *call, int status)
{
	struct pgsession *s = session_of(call);

	if (status == -ENOENT)
		snprintf(s->why, sizeof s->why,
			 "the database holds no schema yet; the gateway's writer makes "
			 "it");
	else if (status == 0 && (s->version < 0 || s->version > PGSQL_VERSION))
		snprintf(s->why, sizeof s->why,
			 "the database holds schema version %lld, this program knows %d: "
			 "it was written by a newer one",
			 (long long)s->version, PGSQL_VERSION);
	else if (status == 0 && !s->writer && s->version < PGSQL_VERSION)
		snprintf(s->why, sizeof s->why,
			 "the database holds schema version %lld, not %d; the gateway's "
			 "writer brings it up",
			 (long long)s->version, PGSQL_VERSION);
	if (s->why[0])
		pglink_fail(s->link, s->why);
	else if (is_good(s, status) && s->writer)
		migrate(s);
	else if (status == 0)
		prepare(s);
}

static void find_version(struct pgsession *s)
{
	s->version = 0;
	if (s->writer) {
		pglink_query(s->link, pgsql_begin);
		pglink_query(s->link, pgsql_alone);
		pglink_query(s->link, pgsql_version_make);
	}
	pglink_query(s->link, pgsql_version);
	go(s, on_version, on_versioned);
}

/* ---- 1: the settings ---- */

static void on_server(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgsession *s = session_of(call);
	struct text encoding = pgrows_text(rows, 0, 0);

	(void)nth;
	if (encoding.len != 4 || memcmp(encoding.at, "UTF8", 4) != 0)
		snprintf(s->why, sizeof s->why,
			 "the database has the encoding %.*s; it must be UTF8",
			 (int)encoding.len, encoding.at);
	else if (s->writer && pgrows_bool(rows, 0, 1))
		snprintf(s->why, sizeof s->why,
			 "the server is a standby, which cannot be written");
}

static void on_settled(struct pgcall *call, int status)
{
	struct pgsession *s = session_of(call);

	if (is_good(s, status))
		find_version(s);
}

void pgsession_begin(struct pgsession *s)
{
	s->why[0] = '\0';
	pglink_query(s->link, pgsql_settings);
	go(s, on_server, on_settled);
}
