/*
 * sqlite - the store in one file of this machine (sqlite:PATH), beside its log.
 *
 * A writer has a thread that commits, answers probes, and trims between batches; each
 * store has another thread that reads, with a connection of its own that cannot write.
 * Nobody else writes: a lock that another program holds makes batches late, up to the
 * deadline. The file and its log (PATH-wal, PATH-shm) are of mode 0600.
 *
 * The directory must be there. A writer makes the file; a reader waits for it. When the
 * name leads to another file, or to none, both open it anew (within a second, or with
 * their next work) and tell it as a store that was away: a deleted file is a new store.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "gateway/store/backend.h"

extern const struct store_backend sqlite_backend;

#endif
