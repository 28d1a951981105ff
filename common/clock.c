#include "common/clock.h"

#include <stdio.h>
#include <time.h>

#include "common/check.h"

enum {
	SECOND_MS = 1000
};
static const uint64_t SECOND_NS = 1000 * MS_NS;

/* What four digits of year can say; anything beyond is shown as the nearest. */
static const int64_t YEAR_0000_MS = -62167219200000;
static const int64_t YEAR_9999_END_MS = 253402300799999;

uint64_t clock_mono_ns(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
	return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / (int64_t)MS_NS;
}

void clock_nap_ms(unsigned ms)
{
	const struct timespec nap = { .tv_sec = ms / SECOND_MS,
				      .tv_nsec = (long)(ms % SECOND_MS * MS_NS) };

	(void)nanosleep(&nap, NULL); /* cut short: looks sooner */
}

void clock_wall_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
	struct tm tm;

	if (wall_ms < YEAR_0000_MS)
		wall_ms = YEAR_0000_MS;
	if (wall_ms > YEAR_9999_END_MS)
		wall_ms = YEAR_9999_END_MS;

	/* Round down, so that times before 1970 have a positive fraction too. */
	int64_t ms = ((wall_ms % SECOND_MS) + SECOND_MS) % SECOND_MS;
	time_t seconds = (time_t)((wall_ms - ms) / SECOND_MS);

	CHECK(gmtime_r(&seconds, &tm));
	snprintf(text, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100,
		 (unsigned)ms % 1000);
}
