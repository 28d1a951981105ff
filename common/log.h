/*
 * log - one line per event: the event first, then key=value (logfmt).
 *
 *   client closed id=7 room=lobby why=slow-reader queued=64
 *
 * Programs decide and log; modules report errors and do not log. Tokens and
 * message texts never appear. Lines go to stderr: with a journald priority
 * prefix (<6>) when stderr is the journal, else with time and level in front.
 * A line is one write and never blocks the loop: when stderr has no room the
 * line is dropped and counted, and told with the next that goes out (dropped=N).
 * Each call site may say 10 lines a second; what it says beyond is counted and
 * told with its next line (suppressed=N). For one thread: that of the loop.
 */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

/* The numbers are syslog's and journald's priorities. */
#define LOG_LEVELS(X) X(error, 3) X(warning, 4) X(notice, 5) X(info, 6) X(debug, 7)

enum log_level {
#define X(name, priority) LOG_##name = priority,
	LOG_LEVELS(X)
#undef X
};

/* One per call site. */
struct log_site {
	uint64_t window_ns;
	uint32_t n_said, n_suppressed;
};

/* `who` names the process in each line ("gateway", "worker 2"); copied. May be called
 * again. Also ignores SIGPIPE, so that a log reader that leaves does not end us. */
void log_open(enum log_level level, const char *who);

/* -EINVAL for an unknown name. */
int log_level_parse(const char *name, enum log_level *ret_level);

void log_line(struct log_site *site, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Text from outside as a logfmt value: bare where it is plain, else quoted
 * with escapes; what is cut to fit ends in `..."`. `size` is at least 8. Returns `out`.
 */
const char *log_quote(const char *text, char *out, unsigned size);

/* Lines dropped because stderr had no room. */
uint64_t log_dropped(void);

#define LOG(level, ...)                                         \
	do {                                                    \
		static struct log_site log_site_;               \
		log_line(&log_site_, LOG_##level, __VA_ARGS__); \
	} while (0)

#endif
