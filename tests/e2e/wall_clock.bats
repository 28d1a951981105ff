# The wall clock is only ever shown: when it jumps, `timestamp` moves and nothing else does.

load lib
setup() {
	setup_daemons
	[ "$MODE" = release ] || skip "a sanitizer's library must be loaded first"
	# A clock of the test's own, so many seconds away from the real one.
	echo 0 >"$DIR/offset"
	cc -shared -fPIC -O1 -o "$DIR/wall.so" -xc - -ldl <<-END
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <stdio.h>
		#include <sys/time.h>
		#include <time.h>
		static long offset(void)
		{
			FILE *file = fopen("$DIR/offset", "re");
			long seconds = 0;
			if (file && fscanf(file, "%ld", &seconds) != 1)
				seconds = 0;
			if (file)
				fclose(file);
			return seconds;
		}
		int clock_gettime(clockid_t id, struct timespec *now)
		{
			int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
			int rc = real(id, now);
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
			clock_gettime(CLOCK_REALTIME, &exact);
			if (now)
				*now = exact.tv_sec;
			return exact.tv_sec;
		}
	END
}
teardown() { teardown_daemons; }

YEAR=31556952
jump_to() { # jump_to YEARS: so many from the real time
	echo $(($1 * YEAR)) >"$DIR/offset.new"
	mv "$DIR/offset.new" "$DIR/offset"
}
year_is() {
	websocket "(.timestamp[0:4] | tonumber) == $(date -u -d "$1 years" +%Y)"
}
two_seconds_passed() {
	(($(now_ms) - since >= 2000))
}
undisturbed() {
	websocket '.status == "ok" and .connections.active == 5 and .connections.total == 5' &&
		websocket '.uptime < 60 and .restarts == 0 and (.workers | all(.heartbeatAgeMs < 500))' &&
		code_is /health/ready 200 && code_is /health/live 200
}

@test "wall clock jumps by years, both ways: only timestamp moves" {
	start_both LD_PRELOAD="$DIR/wall.so" PARLEY_PING_INTERVAL_MS=300 PARLEY_PING_TIMEOUT_MS=300
	grep -q wall.so "/proc/$(worker_pid 0)/maps"
	clients 5
	await 1000 undisturbed
	local years since
	for years in 10 -10; do
		jump_to $years
		year_is $years
		since=$(now_ms)
		await 3000 two_seconds_passed
		await 100 undisturbed
		year_is $years
	done
	# And what hangs is told and mended as ever.
	kill -STOP "$(worker_pid 0)"
	await 1200 websocket '.workers[] | select(.seat == 0) | .hang == "stopped"'
	await 4000 websocket '.restarts == 1 and (.workers | all(.state == "serving"))'
}

@test "wall clock jumps: the start grace of healthd goes on" {
	start_healthd LD_PRELOAD="$DIR/wall.so" PARLEY_HEALTH_START_GRACE_MS=2000
	jump_to 10
	year_is 10
	code_is /health/live 200
	jump_to -10
	await 3000 code_is /health/live 503
}
