/*
 * view - everything that one answer is made of, taken at one moment.
 */
#ifndef VIEW_H
#define VIEW_H

#include "common/segment_reader.h"
#include "healthd/history.h"
#include "healthd/incidents.h"
#include "healthd/judge.h"
#include "healthd/server.h"

/* Lends what it points to. */
struct view {
	const struct snapshot *snapshot;
	const struct verdict *verdict;
	const struct judge_limits *limits;
	const struct server_counts *counts; /* NULL where there is no server */
	int64_t wall_ms;                    /* now */
	int64_t started_ms;              /* when this process began, by the wall clock */
	const struct findings *findings; /* NULL where nobody looks for them */
	uint64_t mono_ns;                /* now */
	uint64_t look; /* its number: what is seen is the same; 0: each is another */
	/* NULL where nobody looks again and again. */
	const struct history *history;
	const struct incidents *incidents;
};

#endif
