/*
 * sqlite_read - a page of a room out of an SQLite store, of one moment. Blocks.
 */
#ifndef STORE_SQLITE_READ_H
#define STORE_SQLITE_READ_H

#include "gateway/store/page.h"
#include "gateway/store/sqlite_db.h"

/* Fills the page, which lends `query`; errors of sqlite_db.h, -ENOMEM. In any case it is
 * to be released. */
int read_page(struct db *db, const struct store_query *query, struct page_builder *page);

#endif
