/*
 * sqlite_schema - the file of a store: made, migrated, recognised, watched.
 *
 * Its version is SQLite's user_version, and its application_id says that it is ours. A
 * migration is one transaction, so that of two that come at once the second finds it
 * done. A file of a newer version is refused: what it means is not known.
 */
#ifndef STORE_SQLITE_SCHEMA_H
#define STORE_SQLITE_SCHEMA_H

#include <sys/types.h>

#include "gateway/store/sqlite_db.h"

enum {
	SCHEMA_VERSION = 1,
};

/* Which file it is, whatever its name says later. */
struct file_identity {
	dev_t device;
	ino_t inode;
};

/* Opens the store's file with its schema: writable, made (mode 0600) and migrated when
 * it has to be, else as it is. Errors of db_open(), and -EPROTO for a file that is not
 * ours or of a version that is not known. */
int schema_open(const struct db_options *options, struct file_identity *ret_identity,
		struct db **ret_db, struct why *why);

/* False, with the reason, when the name leads to another file now, or to none. */
bool schema_is_there(const char *path, const struct file_identity *identity,
		     struct why *why);

#endif
