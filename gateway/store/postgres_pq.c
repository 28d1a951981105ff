#include "gateway/store/postgres_pq.h"

#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/store/postgres_words.h"

enum {
	BINARY = 1,
	LINE = 256,
};

/* Between 1970 and the year 2000, where PostgreSQL begins to count. */
#define EPOCH_MS 946684800000ll

struct pq {
	PGconn *conn;
	bool ended;      /* the statement's results; twice is that nothing is there */
	char last[LINE]; /* words of a server that goes away */
	char said[LINE], why[LINE];
};

/* ---- connecting ---- */

bool pq_url_is_good(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);

	PQconninfoFree(options);
	return options != NULL;
}

/* Between answers a server says nothing of weight but that it goes away. */
static void on_notice(void *app, const PGresult *result)
{
	struct pq *pq = app;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (state && words && pgwords_errno(state) == -ENOTCONN)
		pgwords_line(words, pq->last, sizeof pq->last);
}

/* What the URL says, or else the environment, as libpq has it. */
static const char *option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val      ? options->val
			       : options->envvar ? getenv(options->envvar)
						 : NULL;
	return NULL;
}

static bool copy(char *list, size_t size, const char *from)
{
	return (size_t)snprintf(list, size, "%s", from ? from : "") < size;
}

bool pq_places_of(const char *url, struct pq_places *ret_places)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	bool is = options && option(options, "host") && !option(options, "hostaddr") &&
		  !option(options, "service") &&
		  copy(ret_places->hosts, sizeof ret_places->hosts,
		       option(options, "host")) &&
		  copy(ret_places->ports, sizeof ret_places->ports,
		       option(options, "port"));

	PQconninfoFree(options);
	return is;
}

struct pq *pq_new(const char *url, const struct pq_places *places, uint64_t timeout_ms)
{
	char timeout[24];
	/* Before the URL what it may change, after it what it may not. */
	const char *const keys[] = { "fallback_application_name",
				     "tcp_user_timeout",
				     "dbname",
				     "client_encoding",
				     places ? "host" : NULL,
				     "port",
				     "hostaddr",
				     NULL };
	const char *const values[] = { "parley",
				       timeout,
				       url,
				       "UTF8",
				       places ? places->hosts : NULL,
				       places ? places->ports : NULL,
				       places ? places->addresses : NULL,
				       NULL };
	struct pq *pq = calloc(1, sizeof *pq);

	if (!pq)
		return NULL;
	snprintf(timeout, sizeof timeout, "%llu", (unsigned long long)timeout_ms);
	pq->conn = PQconnectStartParams(keys, values, 1);
	if (!pq->conn) {
		free(pq);
		return NULL;
	}
	(void)PQsetNoticeReceiver(pq->conn, on_notice, pq); /* the one before: stderr */
	return pq;
}

void pq_free(struct pq *pq)
{
	if (pq)
		PQfinish(pq->conn);
	free(pq);
}

enum pq_wants pq_step(struct pq *pq)
{
	/* What could not even begin must not be polled. */
	if (PQstatus(pq->conn) == CONNECTION_BAD)
		return PQ_WANTS_burial;
	switch (PQconnectPoll(pq->conn)) {
	case PGRES_POLLING_READING: return PQ_WANTS_reading;
	case PGRES_POLLING_WRITING: return PQ_WANTS_writing;
	case PGRES_POLLING_OK: break;
	default: return PQ_WANTS_burial;
	}
	if (PQsetnonblocking(pq->conn, 1) != 0 || !PQenterPipelineMode(pq->conn))
		return PQ_WANTS_burial;
	return PQ_WANTS_nothing;
}

int pq_fd(const struct pq *pq)
{
	return PQsocket(pq->conn);
}

const char *pq_why(struct pq *pq)
{
	if (pq->last[0])
		return pq->last;
	pgwords_line(PQerrorMessage(pq->conn), pq->why, sizeof pq->why);
	return pq->why;
}

const char *pq_said(const struct pq *pq)
{
	return pq->said;
}

/* ---- sending ---- */

int pq_send(struct pq *pq, const char *name, const char *sql,
	    const struct pgvalue *values, int n)
{
	const char *ats[PQ_VALUES_MAX];
	int lens[PQ_VALUES_MAX], formats[PQ_VALUES_MAX], ok;

	CHECK(n <= PQ_VALUES_MAX);
	for (int i = 0; i < n; i++) {
		ats[i] = values[i].at;
		lens[i] = values[i].len;
		formats[i] = BINARY;
	}
	if (name)
		ok = PQsendQueryPrepared(pq->conn, name, n, ats, lens, formats, BINARY);
	else
		ok = PQsendQueryParams(pq->conn, sql, n, NULL, ats, lens, formats,
				       BINARY);
	return ok ? 0 : -EIO;
}

int pq_prepare(struct pq *pq, const char *name, const char *sql)
{
	return PQsendPrepare(pq->conn, name, sql, 0, NULL) ? 0 : -EIO;
}

int pq_sync(struct pq *pq)
{
	return PQpipelineSync(pq->conn) ? 0 : -EIO;
}

int pq_flush(struct pq *pq)
{
	int left = PQflush(pq->conn);

	return left < 0 ? -EIO : left;
}

/* ---- hearing ---- */

bool pq_receive(struct pq *pq)
{
	bool alive = PQconsumeInput(pq->conn);

	(void)PQisBusy(pq->conn); /* which reads what the server says unasked */
	return alive;
}

static enum pq_heard heard_error(struct pq *pq, const PGresult *result, int *ret_error)
{
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	int error = pgwords_errno(PQresultErrorField(result, PG_DIAG_SQLSTATE));

	pgwords_line(words ? words : PQresultErrorMessage(result), pq->said,
		     sizeof pq->said);
	*ret_error = error;
	if (error != -ENOTCONN && PQstatus(pq->conn) != CONNECTION_BAD)
		return PQ_HEARD_error;
	memcpy(pq->last, pq->said, sizeof pq->last);
	return PQ_HEARD_over;
}

enum pq_heard pq_hear(struct pq *pq, const struct pgrows **ret_rows, int *ret_error)
{
	enum pq_heard heard;
	PGresult *result;

	*ret_rows = NULL;
	*ret_error = 0;
	if (PQisBusy(pq->conn))
		return PQ_HEARD_nothing;
	result = PQgetResult(pq->conn);
	if (!result) {
		heard = pq->ended ? PQ_HEARD_nothing : PQ_HEARD_next;
		pq->ended = true;
		return heard;
	}
	pq->ended = false;
	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		*ret_rows = (const struct pgrows *)result;
		return PQ_HEARD_rows;
	case PGRES_PIPELINE_SYNC: heard = PQ_HEARD_end; break;
	case PGRES_PIPELINE_ABORTED:
		*ret_error = -EIO; /* an error came before */
		heard = PQ_HEARD_error;
		break;
	default: heard = heard_error(pq, result, ret_error); break;
	}
	PQclear(result);
	return heard;
}

void pq_heard(const struct pgrows *rows)
{
	PQclear((PGresult *)(uintptr_t)rows);
}

/* ---- rows ---- */

static const PGresult *result_of(const struct pgrows *rows)
{
	return (const PGresult *)rows;
}

unsigned pgrows_n(const struct pgrows *rows)
{
	return PQntuples(result_of(rows));
}

bool pgrows_null(const struct pgrows *rows, unsigned row, unsigned column)
{
	return PQgetisnull(result_of(rows), row, column);
}

struct text pgrows_text(const struct pgrows *rows, unsigned row, unsigned column)
{
	return (struct text){ PQgetvalue(result_of(rows), row, column),
			      PQgetlength(result_of(rows), row, column) };
}

int64_t pgrows_int(const struct pgrows *rows, unsigned row, unsigned column)
{
	struct text text = pgrows_text(rows, row, column);
	uint64_t big = 0;

	if (text.len == sizeof big)
		memcpy(&big, text.at, sizeof big);
	return (int64_t)be64toh(big);
}

int64_t pgrows_ms(const struct pgrows *rows, unsigned row, unsigned column)
{
	return pgrows_int(rows, row, column) / 1000 + EPOCH_MS;
}

bool pgrows_bool(const struct pgrows *rows, unsigned row, unsigned column)
{
	struct text text = pgrows_text(rows, row, column);

	return text.len == 1 && text.at[0];
}
