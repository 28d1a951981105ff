/*
 * postgres_sql - every statement that PostgreSQL is given, by name, and the schema.
 *
 * All lies in a schema of its own, `parley`. Sequences are given under the lock of the
 * room's row; whoever locks several does so in the order of their ids, so that gateways
 * on one database never wait in a circle.
 */
#ifndef POSTGRES_SQL_H
#define POSTGRES_SQL_H

/* What this program writes and reads; grows with each entry of pgsql_migrations. */
enum {
	PGSQL_VERSION = 1
};

/* Statements that are prepared on each connection; ended by a NULL name. */
struct pgsql {
	const char *name, *sql;
};
extern const struct pgsql pgsql_statements[];

/*
 * Their parameters and rows:
 *
 *   make    names[]                                                -
 *   find    names[]                                                id, name
 *   fast    ids[], counts[]; of each message its room's place      place, base, at
 *           from 1, its number within the room, sender[],
 *           client id[], body[]
 *   lock    ids[]                                                  -
 *   slow    of each message room id[], sender[], client id[],      seq, at, repeat
 *           body[]
 *   head    name                                                   head, first
 *   oldest  name, after, before, limit, bytes                      head, first, seq, at,
 *   newest  the same                                               sender, client id,
 *                                                                  body
 *   probe   -                                                      -
 *   due     id, count, age ms, rooms                               id, whether it is due
 *   due_room  name, count                                          the same
 *   trim    ids[], count, age ms, messages of each                 -
 */

/* The session's settings, and what must be known of the server: its encoding, whether
 * it is a standby. */
extern const char pgsql_settings[];

/* A writer's: alone until the end of its transaction; the version that is there. */
extern const char pgsql_begin[], pgsql_alone[], pgsql_version_make[], pgsql_commit[];
extern const char pgsql_version[];

/* pgsql_migrations[v] brings version v to v + 1: statements, ended by NULL. */
extern const char *const *const pgsql_migrations[PGSQL_VERSION];
extern const char pgsql_version_next[];

#endif
