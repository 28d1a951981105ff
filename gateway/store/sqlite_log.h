/*
 * sqlite_log - SQLite's write-ahead log, written in a few large pieces.
 *
 * SQLite writes a page of its log with two calls, one for the page's head and one for the
 * page; a batch over many rooms is many pages. Its files are opened through a layer of
 * ours, which gathers what SQLite appends to a log and writes it before the log is
 * flushed, read, measured, cut or closed. So nobody sees less than SQLite wrote, as long
 * as each commit ends with a flush (`synchronous` is FULL): only after that are readers
 * told of it. What could not be written is an error of the call that wanted it there.
 * All other files are SQLite's own.
 */
#ifndef STORE_SQLITE_LOG_H
#define STORE_SQLITE_LOG_H

/* The layer's name, for sqlite3_open_v2; NULL: SQLite's own, since ours cannot be had. Of
 * any thread; before SQLite is used otherwise. */
const char *log_layer(void);

#endif
