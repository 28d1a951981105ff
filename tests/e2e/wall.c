/*
 * wall - a wall clock that is as many seconds away from the real one as the file OFFSET
 * says; to be preloaded. The monotonic clock is the kernel's.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

#ifndef OFFSET
#define OFFSET "/dev/null"
#endif

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the library's names
 * are reserved to it. */

static long offset(void)
{
	FILE *file = fopen(OFFSET, "re");
	long seconds = 0;

	if (file && fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	if (file)
		(void)fclose(file);
	return seconds;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	int rc;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	rc = real(id, now);
	if (rc == 0 && id == CLOCK_REALTIME)
		now->tv_sec += offset();
	return rc;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec exact;
	int rc = clock_gettime(CLOCK_REALTIME, &exact);

	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return rc;
}

time_t time(time_t *now)
{
	struct timespec exact;

	(void)clock_gettime(CLOCK_REALTIME, &exact);
	if (now)
		*now = exact.tv_sec;
	return exact.tv_sec;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
