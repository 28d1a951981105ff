#include "healthd/metrics_self.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void write_server(struct exposition *e, const struct server_counts *counts)
{
	exposition_gauge(e, "parley_healthd_connections", "connections",
			 "Connections to healthd", counts->connections);
	exposition_counter(e, "parley_healthd_accepted_total", "connections",
			   "Connections that healthd accepted", counts->accepted);
	exposition_counter(e, "parley_healthd_shed_total", "connections",
			   "Connections closed to make room for others", counts->shed);
	exposition_counter(e, "parley_healthd_requests_total", "requests",
			   "Requests that healthd answered", counts->requests);
	exposition_counter(e, "parley_healthd_timeouts_total", "requests",
			   "Requests that took too long to arrive or to be read",
			   counts->timeouts);
	exposition_counter(e, "parley_healthd_refused_total", "requests",
			   "Requests that were no valid HTTP", counts->refused);
	exposition_gauge(e, "parley_healthd_streams", "streams", "Streams of /events",
			 counts->streams);
	exposition_counter(e, "parley_healthd_streams_opened_total", "streams",
			   "Streams of /events that were begun", counts->streams_opened);
	exposition_counter(e, "parley_healthd_streams_refused_total", "streams",
			   "Streams refused because there were too many",
			   counts->streams_refused);
	exposition_counter(e, "parley_healthd_streams_dropped_total", "streams",
			   "Streams dropped because their reader was too slow",
			   counts->streams_dropped);
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
		exposition_gauge(e, "process_virtual_memory_bytes", "bytes",
				 "Virtual memory of healthd", virtual_pages * page);
		exposition_gauge(e, "process_resident_memory_bytes", "bytes",
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
		exposition_gauge(e, "process_open_fds", "",
				 "Descriptors that healthd has open", n - 3);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		exposition_gauge(e, "process_max_fds", "",
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
