/*
 * postgres_server - a PostgreSQL of the test's own that can be killed and stopped; by
 * tests/postgres.bash.
 */
#ifndef POSTGRES_SERVER_H
#define POSTGRES_SERVER_H

#include "tests/unit/store_bench.h"

struct server {
	char dir[64];
	char url[160]; /* the database it comes with; bench_set_up() takes it */
};

static struct server server;

__attribute__((format(printf, 1, 2))) static inline int server_run(const char *format,
								   ...)
{
	char command[1024] = "tests/postgres.bash ";
	size_t len = strlen(command);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command + len, sizeof command - len, format, args);
	va_end(args);
	return system(command); /* NOLINT(cert-env33-c): written in the test */
}

static inline void server_start(void)
{
	assert_int_equal(server_run("start %s >/dev/null", server.dir), 0);
}

static inline void server_kill(void)
{
	assert_int_equal(server_run("kill %s", server.dir), 0);
}

static inline void server_signal(const char *name)
{
	assert_int_equal(server_run("signal %s %s", server.dir, name), 0);
}

static inline void server_sql(const char *database, const char *sql)
{
	assert_int_equal(
		server_run("sql %s \"%s\" %s >/dev/null", server.dir, sql, database), 0);
}

/* A database without a schema; lent until the next one. */
static inline const char *server_database(const char *name, const char *how)
{
	static char url[160];
	char sql[128];

	(void)snprintf(sql, sizeof sql, "create database %s %s", name, how);
	server_sql("postgres", sql);
	(void)snprintf(url, sizeof url, "postgresql://postgres@/%s?host=%s", name,
		       server.dir);
	return url;
}

static inline int server_set_up(void **state)
{
	(void)state;
	(void)strcpy(server.dir, "/tmp/parley-postgres.XXXXXX");
	CHECK(mkdtemp(server.dir));
	(void)snprintf(server.url, sizeof server.url,
		       "postgresql://postgres@/postgres?host=%s", server.dir);
	return server_run("start %s >/dev/null", server.dir);
}

static inline int server_tear_down(void **state)
{
	(void)state;
	return server_run("stop %s", server.dir);
}

/* Whether there is one to be started; else says that the tests are skipped. */
static inline bool server_is_installed(void)
{
	if (server_run("installed") == 0)
		return true;
	(void)printf("ok 1 # skip no PostgreSQL server is installed\n");
	return false;
}

#define SERVER_TEST(test)                                              \
	{                                                              \
#test, test, bench_set_up, bench_tear_down, server.url \
	}

#endif
