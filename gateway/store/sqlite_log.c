#include "gateway/store/sqlite_log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	GATHERED_MAX = 0x1ffff, /* bytes; SQLite gives the system no more at once */
};

struct log_file {
	sqlite3_file base;   /* first */
	sqlite3_file *real;  /* in the memory behind this */
	sqlite3_int64 begin; /* where in the file the gathered belongs */
	int n;               /* bytes gathered */
	uint8_t *gathered;   /* GATHERED_MAX */
};

static sqlite3_vfs *own;  /* SQLite's */
static sqlite3_vfs layer; /* ours */
static const char *name;  /* NULL: there is none */

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

/* What cannot be written is of a transaction that fails by it: SQLite writes again, from
 * the same place on, in the next. */
static int write_gathered(struct log_file *log)
{
	int n = log->n;

	log->n = 0;
	return n ? log->real->pMethods->xWrite(log->real, log->gathered, n, log->begin)
		 : SQLITE_OK;
}

/* ---- what SQLite does with a log ---- */

static int on_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct log_file *log = log_of(file);
	int r = SQLITE_OK;

	if (at != log->begin + log->n || len > GATHERED_MAX - log->n)
		r = write_gathered(log);
	if (r != SQLITE_OK)
		return r;
	if (len > GATHERED_MAX)
		return log->real->pMethods->xWrite(log->real, data, len, at);
	if (log->n == 0)
		log->begin = at;
	memcpy(log->gathered + log->n, data, (size_t)len);
	log->n += len;
	return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags)
{
	struct log_file *log = log_of(file);
	int r = write_gathered(log);

	return r == SQLITE_OK ? log->real->pMethods->xSync(log->real, flags) : r;
}

static int on_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
	struct log_file *log = log_of(file);
	int r = write_gathered(log);

	return r == SQLITE_OK ? log->real->pMethods->xRead(log->real, data, len, at) : r;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct log_file *log = log_of(file);
	int r = write_gathered(log);

	return r == SQLITE_OK ? log->real->pMethods->xTruncate(log->real, size) : r;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	struct log_file *log = log_of(file);
	int r = write_gathered(log);

	return r == SQLITE_OK ? log->real->pMethods->xFileSize(log->real, ret_size) : r;
}

static int on_close(sqlite3_file *file)
{
	struct log_file *log = log_of(file);

	(void)write_gathered(log); /* of no transaction that was committed */
	free(log->gathered);
	return log->real->pMethods->xClose(log->real);
}

/* ---- what is not about its bytes ---- */

static int on_lock(sqlite3_file *file, int lock)
{
	return log_of(file)->real->pMethods->xLock(log_of(file)->real, lock);
}

static int on_unlock(sqlite3_file *file, int lock)
{
	return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, lock);
}

static int on_check_lock(sqlite3_file *file, int *ret_locked)
{
	sqlite3_file *real = log_of(file)->real;

	return real->pMethods->xCheckReservedLock(real, ret_locked);
}

static int on_control(sqlite3_file *file, int what, void *value)
{
	return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, what,
							  value);
}

static int on_sector_size(sqlite3_file *file)
{
	return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int on_characteristics(sqlite3_file *file)
{
	return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

/* ---- the layer ---- */

static int on_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags,
		   int *ret_flags)
{
	/* Of the first version: a log is never mapped, nor the one that is locked. */
	static const sqlite3_io_methods methods = {
		1,
		on_close,
		on_read,
		on_write,
		on_truncate,
		on_sync,
		on_size,
		on_lock,
		on_unlock,
		on_check_lock,
		on_control,
		on_sector_size,
		on_characteristics,
	};
	struct log_file *log = log_of(file);
	int r;

	(void)vfs;
	if (!(flags & SQLITE_OPEN_WAL))
		return own->xOpen(own, path, file, flags, ret_flags);
	memset(log, 0, sizeof *log); /* without methods it is not closed */
	log->gathered = malloc(GATHERED_MAX);
	if (!log->gathered)
		return SQLITE_NOMEM;
	log->real = (sqlite3_file *)(log + 1);
	r = own->xOpen(own, path, log->real, flags, ret_flags);
	if (r == SQLITE_OK)
		log->base.pMethods = &methods;
	else
		free(log->gathered);
	return r;
}

static void make_layer(void)
{
	/* Nobody asks how much memory SQLite has: a lock less at each piece of it. Only
	 * slower without, where SQLite is in use already. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	own = sqlite3_vfs_find(NULL);
	if (!own)
		return;
	layer = *own;
	layer.zName = "parley";
	layer.szOsFile = (int)sizeof(struct log_file) + own->szOsFile;
	layer.xOpen = on_open;
	if (sqlite3_vfs_register(&layer, 0) == SQLITE_OK)
		name = layer.zName;
}

const char *log_layer(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_layer); /* cannot fail */
	return name;
}
