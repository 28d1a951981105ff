#include "healthd/metrics_self.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void one(struct exposition *e, const char *name, enum exposition_kind kind,
		const char *unit, const char *help, uint64_t value)
{
	exposition_family(e, name, kind, unit, help);
	exposition_uint(e, "", value);
}

static void write_server(struct exposition *e, const struct server_counts *counts)
{
	one(e, "parley_healthd_connections", EXPOSITION_GAUGE, "connections",
	    "Connections to healthd", counts->connections);
	one(e, "parley_healthd_accepted_total", EXPOSITION_COUNTER, "connections",
	    "Connections that healthd accepted", counts->accepted);
	one(e, "parley_healthd_shed_total", EXPOSITION_COUNTER, "connections",
	    "Connections closed to make room for others", counts->shed);
	one(e, "parley_healthd_requests_total", EXPOSITION_COUNTER, "requests",
	    "Requests that healthd answered", counts->requests);
	one(e, "parley_healthd_timeouts_total", EXPOSITION_COUNTER, "requests",
	    "Requests that took too long to arrive or to be read", counts->timeouts);
	one(e, "parley_healthd_refused_total", EXPOSITION_COUNTER, "requests",
	    "Requests that were no valid HTTP", counts->refused);
	one(e, "parley_healthd_streams", EXPOSITION_GAUGE, "streams",
	    "Streams of /events", counts->streams);
	one(e, "parley_healthd_streams_opened_total", EXPOSITION_COUNTER, "streams",
	    "Streams of /events that were begun", counts->streams_opened);
	one(e, "parley_healthd_streams_refused_total", EXPOSITION_COUNTER, "streams",
	    "Streams refused because there were too many", counts->streams_refused);
	one(e, "parley_healthd_streams_dropped_total", EXPOSITION_COUNTER, "streams",
	    "Streams dropped because their reader was too slow", counts->streams_dropped);
}

static double cpu_seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static void write_memory(struct exposition *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long virtual_pages, resident_pages;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return;
	if (fscanf(file, "%lu %lu", &virtual_pages, &resident_pages) == 2) {
		one(e, "process_virtual_memory_bytes", EXPOSITION_GAUGE, "bytes",
		    "Virtual memory of healthd", virtual_pages * page);
		one(e, "process_resident_memory_bytes", EXPOSITION_GAUGE, "bytes",
		    "Resident memory of healthd", resident_pages * page);
	}
	(void)fclose(file); /* was only read */
}

static void write_descriptors(struct exposition *e)
{
	struct rlimit limit;
	uint64_t n = 0;
	DIR *dir = opendir("/proc/self/fd");

	if (dir) {
		while (readdir(dir))
			n++;
		closedir(dir);
	}
	if (n > 3) /* all but ".", ".." and the directory's own */
		one(e, "process_open_fds", EXPOSITION_GAUGE, "",
		    "Descriptors that healthd has open", n - 3);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		one(e, "process_max_fds", EXPOSITION_GAUGE, "",
		    "Descriptors that healthd may open", limit.rlim_cur);
}

static void write_process(struct exposition *e, int64_t started_ms)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		exposition_family(e, "process_cpu_seconds_total", EXPOSITION_COUNTER,
				  "seconds", "Processor time of healthd");
		exposition_seconds(e, "", cpu_seconds(&usage));
	}
	exposition_family(e, "process_start_time_seconds", EXPOSITION_GAUGE, "seconds",
			  "When healthd began, in seconds since 1970");
	exposition_seconds(e, "", (double)started_ms / 1e3);
	write_memory(e);
	write_descriptors(e);
}

void metrics_self(struct exposition *e, const struct view *view)
{
	if (view->counts)
		write_server(e, view->counts);
	write_process(e, view->started_ms);
}
