#include "gateway/store/sqlite_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/breaks.h"

#define APPLICATION_ID "1348563564" /* "Parl" */

/* migrations[v] leads from version v to v + 1. Never changed once released. */
static const char *const migrations[SCHEMA_VERSION] = {
	"CREATE TABLE rooms ("
	" room_id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" head INTEGER NOT NULL,"   /* newest sequence */
	" first INTEGER NOT NULL);" /* oldest that is kept; head + 1: none */
	"CREATE TABLE messages ("
	" room_id INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL,"
	" sender TEXT NOT NULL,"
	" client_id TEXT NOT NULL,"
	" body TEXT NOT NULL,"
	" PRIMARY KEY (room_id, seq)" MESSAGES_UNIQUE ") WITHOUT ROWID;"
	"CREATE TABLE probe ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" at_ms INTEGER NOT NULL);"
	"PRAGMA application_id = " APPLICATION_ID ";"
	"PRAGMA user_version = 1",
};

/* ---- the file ---- */

static int failed(const char *path, const char *what, struct why *why)
{
	int error = errno;

	return why_set(why, -error, "%s: %s: %s", path, what, strerror(error));
}

static int check_directory(const char *path, struct why *why)
{
	char *copy = strdup(path);
	struct stat st;
	int r = 0;

	if (!copy)
		return why_set(why, -ENOMEM, "no memory");
	if (stat(dirname(copy), &st) < 0)
		r = failed(path, "its directory", why);
	else if (!S_ISDIR(st.st_mode))
		r = why_set(why, -ENOTDIR, "%s: not in a directory", path);
	free(copy);
	return r;
}

/* An empty file that only its owner may read, whatever the umask. Made under another
 * name: to close a descriptor of a file that a connection has open would drop the
 * connection's locks. */
static int make_file(const char *path, struct why *why)
{
	char *name;
	int fd, r = 0;

	if (asprintf(&name, "%s.XXXXXX", path) < 0)
		return why_set(why, -ENOMEM, "no memory");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0) {
		r = failed(path, "cannot be made", why);
		free(name);
		return r;
	}
	(void)close(fd); /* empty */
	if (link(name, path) < 0 && errno != EEXIST)
		r = failed(path, "cannot be made", why);
	(void)unlink(name); /* a file too many harms nobody */
	free(name);
	return r;
}

static int identify(const char *path, struct file_identity *ret, struct why *why)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return failed(path, "cannot be opened", why);
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EPROTO, "%s: not a file", path);
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	return 0;
}

bool schema_is_there(const char *path, const struct file_identity *identity,
		     struct why *why)
{
	struct file_identity now = { 0 };

	if (identify(path, &now, why) < 0)
		return false;
	if (now.device == identity->device && now.inode == identity->inode)
		return true;
	why_write(why, "%s: was replaced by another file", path);
	return false;
}

/* ---- the schema ---- */

static int refuse(struct db *db, const char *path, int r, struct why *why)
{
	return why_set(why, r, "%s: %s", path, db_error(db));
}

/* The version of a file that is ours; 0 for an empty one. */
static int look(struct db *db, const char *path, int64_t *ret_version, struct why *why)
{
	int64_t id, n_tables;
	int r;

	if ((r = db_run_number(db, "PRAGMA application_id", &id)) < 0 ||
	    (r = db_run_number(db, "PRAGMA user_version", ret_version)) < 0 ||
	    (r = db_run_number(db, "SELECT count(*) FROM sqlite_schema", &n_tables)) < 0)
		return refuse(db, path, r, why);
	if (n_tables > 0 && id != atoll(APPLICATION_ID))
		return why_set(why, -EPROTO, "%s: a database, but not of parley", path);
	if (*ret_version > SCHEMA_VERSION)
		return why_set(why, -EPROTO,
			       "%s: its schema is version %lld, this program knows %d: "
			       "it is of a newer parley",
			       path, (long long)*ret_version, SCHEMA_VERSION);
	return 0;
}

static int migrate_from(struct db *db, const char *path, int64_t version, struct why *why)
{
	for (int r; version < SCHEMA_VERSION; version++)
		if ((r = db_run(db, migrations[version])) < 0)
			return refuse(db, path, r, why);
	return 0;
}

static int migrate(struct db *db, const char *path, struct why *why)
{
	int64_t version;
	int r = look(db, path, &version, why);

	if (r < 0 || version == SCHEMA_VERSION)
		return r;
	/* Looked at again under the lock: another may have been quicker. */
	if ((r = db_run(db, "BEGIN IMMEDIATE")) < 0)
		return refuse(db, path, r, why);
	if ((r = look(db, path, &version, why)) < 0 ||
	    (r = migrate_from(db, path, version, why)) < 0) {
		db_roll_back(db);
		return r;
	}
	r = db_run(db, "COMMIT");
	if (r < 0) {
		r = refuse(db, path, r, why);
		db_roll_back(db);
	}
	return r;
}

/* The log is copied into the file by us, between batches; see sqlite_write.c. Each commit
 * is flushed, which sqlite_log.c needs to be true, too. Pages are read, not mapped: of a
 * file cut short a mapping dies by SIGBUS. */
static const char write_settings[] = "PRAGMA journal_mode = WAL;"
				     "PRAGMA synchronous = FULL;"
				     "PRAGMA journal_size_limit = 67108864;"
				     "PRAGMA cache_size = -32768;"
				     "PRAGMA mmap_size = 0";
static const char read_settings[] = "PRAGMA query_only = 1;"
				    "PRAGMA cache_size = -8192;"
				    "PRAGMA mmap_size = 0";

/* A file system without shared memory leaves the old journal on, without an error. */
static int check_log(struct db *db, const char *path, struct why *why)
{
	int64_t is_on;
	int r = db_run_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode",
			      &is_on);

	if (r < 0)
		return refuse(db, path, r, why);
	if (!is_on)
		return why_set(why, -EPROTO,
			       "%s: SQLite's write-ahead log does not work there", path);
	return 0;
}

static int prepare(struct db *db, const struct db_options *options, struct why *why)
{
	int64_t version;
	int r = db_run(db, options->writable ? write_settings : read_settings);

	if (r < 0)
		return refuse(db, options->path, r, why);
	if (options->writable) {
		r = check_log(db, options->path, why);
		return r < 0 ? r : migrate(db, options->path, why);
	}
	r = look(db, options->path, &version, why);
	if (r == 0 && version < SCHEMA_VERSION)
		r = why_set(why, -EPROTO, "%s: no writer has opened it yet",
			    options->path);
	return r;
}

int schema_open(const struct db_options *options, struct file_identity *ret_identity,
		struct db **ret_db, struct why *why)
{
	struct db *db;
	int r = check_directory(options->path, why);

	if (r == 0 && options->writable && access(options->path, F_OK) < 0)
		r = make_file(options->path, why);
	if (r < 0 || (r = identify(options->path, ret_identity, why)) < 0 ||
	    (r = db_open(options, &db, why)) < 0)
		return r;
	r = prepare(db, options, why);
	if (r == 0 && !schema_is_there(options->path, ret_identity, why))
		r = -ENOTCONN;
	if (r < 0) {
		db_close(db);
		return r;
	}
	*ret_db = db;
	return 0;
}
