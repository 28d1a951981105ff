/*
 * postgres - the back end for PostgreSQL 13 and later: postgresql://… and postgres://…
 *
 * One connection (postgres_link) per store, which postgres_session makes fit; then
 * postgres_commit, postgres_read and postgres_trim have their statements on it. A reader
 * has its own, so it works while the writer is busy. Several gateways on one database are
 * right: sequences are given under the lock of the room.
 */
#ifndef POSTGRES_H
#define POSTGRES_H

#include "gateway/store/backend.h"

extern const struct store_backend postgres_backend;

#endif
