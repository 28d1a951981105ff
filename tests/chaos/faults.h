/*
 * faults - which faults there are at a time, and what must be said of them then.
 *
 * A fault begins and ends when the harness says so; the end of one that the gateway
 * mends by itself is also reached when its row's time for that is over. Faults stay
 * known, so that an answer can be judged some time after it came: by then whatever had
 * begun when it was asked has been told to us.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATHS(X)                          \
	X(websocket, "/health/websocket") \
	X(live, "/health/live")           \
	X(ready, "/health/ready")         \
	X(database, "/health/database")   \
	X(metrics, "/metrics")

enum path {
#define X(name, at) PATH_##name,
	PATHS(X)
#undef X
	PATH_COUNT
};

/* What an answer says; `unknown` of the store counts as degraded. */
enum says {
	SAYS_ok,
	SAYS_degraded,
	SAYS_error,
};

enum {
	ROW_NEW_LIFE = 1,   /* another gateway follows: its totals begin anew */
	ROW_NOBODY = 2,     /* once it must be told, nobody is connected */
	ROW_UNANSWERED = 4, /* there need be no answer at all */
};

struct range {
	uint8_t least, most; /* enum says */
};

struct row {
	const char *name;
	struct range of[PATH_COUNT];
	enum path shows;
	unsigned told_ms, lasts_ms, after_ms, kind;
};

struct fault {
	char id[24];
	const struct row *row;
	uint64_t begin_us, end_us;            /* end: UINT64_MAX while it lasts */
	uint64_t done_us;                     /* what is measured counts from here */
	uint64_t told_us, lasts_us, after_us; /* from its begin, its begin, its end */
	/* As measured by the answers of row->shows; 0: not seen. */
	uint64_t seen_us, well_us;
	bool measured; /* it has ended, and all has been well for a while since */
	bool told;
};

struct faults {
	struct fault *list;
	size_t n, size;
	unsigned tolerance;
};

/* What may be said at a time. */
struct demand {
	struct range says;
	unsigned kind;               /* of all rows */
	const struct fault *because; /* the one that asks for `least`; NULL */
};

void faults_release(struct faults *faults);

/* A fault of the row of this name. -ENOENT: there is none. `lasts_ms`: instead of the
 * row's; 0. */
int faults_begin(struct faults *faults, const char *id, const char *name, uint64_t at_us,
		 unsigned lasts_ms);
/* It took hold only then: how soon it was told counts from there, what must be said when
 * does not. -ENOENT: no such fault lasts. */
int faults_done(struct faults *faults, const char *id, uint64_t at_us);
/* -ENOENT: no such fault lasts. */
int faults_end(struct faults *faults, const char *id, uint64_t at_us);

/* The watcher itself stood still for so long: nobody is blamed for it. */
void faults_excuse(struct faults *faults, uint64_t now_us, uint64_t late_us);

struct demand faults_demand(const struct faults *faults, enum path path, uint64_t at_us);

/* Notes what was said, for the measured times. */
void faults_heard(struct faults *faults, enum path path, enum says says, uint64_t at_us);

/* Prints a line for each that is over by then: `fault ROW ID told_ms=N well_ms=N`;
 * told from its begin, well from its begin if it is to be mended by itself, else from its
 * end; `-` where it was not seen. */
void faults_tell(struct faults *faults, uint64_t now_us);

/* "kill_worker (1.234 s), …", of those at a time. */
void faults_name(const struct faults *faults, uint64_t at_us, char *text, size_t size);

#endif
