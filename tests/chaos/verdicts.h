/*
 * verdicts - holds every answer of health against what is known to be so.
 *
 * Answers wait JUDGED_AFTER_US, until what the harness tells of that time has come. One
 * is wrong when it would be wrong at each moment between the question and the answer:
 * it claims to be well while it must not, or the reverse; its code and its words
 * disagree; its counts cannot be; or there is none.
 */
#ifndef VERDICTS_H
#define VERDICTS_H

#include <stdint.h>
#include <stdio.h>

#include "tests/chaos/asker.h"
#include "tests/chaos/faults.h"

enum {
	JUDGED_AFTER_US = 3000000,
	SAID_MAX = 1 << 16 /* that wait */
};

/* What an answer said, once read. */
struct said {
	enum path path;
	uint64_t asked_us, answered_us;
	bool answered, makes_sense;
	enum says says;
	bool has_active, has_total;
	uint64_t active, total;
	char why[40]; /* there is none, or it makes no sense */
};

#define WRONGS(X)                                                   \
	X(claimed_well) /* said to be better than it may be told */ \
	X(claimed_ill)  /* said to be worse */                      \
	X(nonsense)                                                 \
	X(counts) /* connections that cannot be */                  \
	X(unanswered)

enum wrong {
#define X(name) WRONG_##name,
	WRONGS(X)
#undef X
	WRONG_COUNT
};

struct verdicts {
	struct faults faults;
	uint64_t most; /* clients that there can be; 0: not known */
	FILE *journal; /* every answer; NULL */
	uint64_t begin_us;
	struct said *waiting; /* a ring of SAID_MAX */
	uint64_t n_come, n_judged;
	uint64_t n_answers[PATH_COUNT], n_wrong[WRONG_COUNT];
	uint64_t n_excused, late_us; /* not judged, for we did not run ourselves */
	uint64_t excused_from_us, excused_to_us;
	uint64_t total, total_us; /* the greatest, and when it was told */
	uint32_t *took_us;
	size_t n_took, size_took;
};

void verdicts_init(struct verdicts *verdicts, unsigned tolerance);
void verdicts_release(struct verdicts *verdicts);

/* Takes note of an answer. */
void verdicts_heard(struct verdicts *verdicts, const struct answer *answer);
/* We did not run for so long. */
void verdicts_excuse(struct verdicts *verdicts, uint64_t now_us, uint64_t late_us);
/* Judges those that came before then, and tells of the faults that are over. */
void verdicts_judge(struct verdicts *verdicts, uint64_t until_us);
/* Prints the counts, in one line; returns how many answers were wrong. */
uint64_t verdicts_tell(struct verdicts *verdicts);

/* Reads one answer. */
struct said said_read(const struct answer *answer);

#endif
