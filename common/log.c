#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"

enum {
	LINE_SIZE = 2048, /* under PIPE_BUF: a pipe takes a line whole or not at all */
	LINES_PER_WINDOW = 10,
	QUOTE_SIZE_MIN = 8,
	NO_FD = -1
};
static const uint64_t WINDOW_NS = 1000 * MS_NS;

/* The log level, and what log_open found out about stderr. */
static struct {
	enum log_level level;
	char who[32];
	bool journal;
	bool socket;
	int own_fd; /* stderr opened once more, without blocking; or NO_FD */
	uint64_t n_dropped, n_dropped_told;
} log_state = { .level = LOG_info, .own_fd = NO_FD };

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
#define X(name, priority) { #name, LOG_##name },
	LOG_LEVELS(X)
#undef X
};

int log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*ret_level = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (levels[i].level == level)
			return levels[i].name;
	}
	return "unknown";
}

/* systemd.exec(5): JOURNAL_STREAM is the device and inode of the journal's socket. */
static bool is_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];

	snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st->st_dev,
		 (uintmax_t)st->st_ino);
	return stream && strcmp(stream, own) == 0;
}

void log_open(enum log_level level, const char *who)
{
	struct stat st;

	log_state.level = level;
	snprintf(log_state.who, sizeof log_state.who, "%s", who);
	if (log_state.own_fd != NO_FD)
		close(log_state.own_fd);
	log_state.own_fd = NO_FD;
	log_state.journal = log_state.socket = false;

	/* A reader of our log that goes away must not end us. */
	signal(SIGPIPE, SIG_IGN);
	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	log_state.journal = is_journal(&st);
	log_state.socket = S_ISSOCK(st.st_mode);

	/*
	 * Between poll and write another process may take the room in a pipe or a
	 * terminal that we share, and O_NONBLOCK on stderr itself would change it
	 * for everyone else who has it. So it is opened once more, for us alone.
	 * Not a file on disk: that would start again at its beginning.
	 */
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		log_state.own_fd = open("/proc/self/fd/2",
					O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* One write of the whole line, or nothing. */
static bool put(const char *line, size_t len)
{
	int fd = log_state.own_fd != NO_FD ? log_state.own_fd : STDERR_FILENO;
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT))
		return false;
	if (log_state.socket)
		n = send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = write(fd, line, len);
	return n == (ssize_t)len;
}

/* False when this site has said enough for now. */
static bool may_say(struct log_site *site, uint64_t now_ns)
{
	if (now_ns >= site->window_ns + WINDOW_NS) {
		site->window_ns = now_ns;
		site->n_said = 0;
	}
	if (site->n_said >= LINES_PER_WINDOW) {
		site->n_suppressed++;
		return false;
	}
	site->n_said++;
	return true;
}

/* A line under construction; what does not fit is cut. */
struct line {
	char text[LINE_SIZE];
	size_t len;
};

__attribute__((format(printf, 3, 0))) static void line_vadd(struct line *line,
							    size_t limit,
							    const char *format,
							    va_list args)
{
	size_t room = limit - line->len;
	int n = vsnprintf(line->text + line->len, room, format, args);

	if (n < 0)
		return;
	line->len += (size_t)n < room ? (size_t)n : room - 1;
}

__attribute__((format(printf, 2, 3))) static void line_add(struct line *line,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_vadd(line, sizeof line->text, format, args);
	va_end(args);
}

static void line_start(struct line *line, enum log_level level)
{
	char now[CLOCK_TEXT_SIZE];

	if (log_state.journal) {
		line_add(line, "<%d>%s: ", (int)level, log_state.who);
		return;
	}
	clock_wall_text(clock_wall_ms(), now);
	line_add(line, "%s %s %s: ", now, level_name(level), log_state.who);
}

void log_line(struct log_site *site, enum log_level level, const char *format, ...)
{
	struct line line = { .len = 0 };
	int saved_errno = errno;
	va_list args;

	if (level > log_state.level || !may_say(site, clock_mono_ns()))
		return;

	line_start(&line, level);
	va_start(args, format);
	/* The end is kept free for the two counts and the newline. */
	line_vadd(&line, sizeof line.text - 64, format, args);
	va_end(args);
	if (site->n_suppressed)
		line_add(&line, " suppressed=%u", (unsigned)site->n_suppressed);
	if (log_state.n_dropped > log_state.n_dropped_told)
		line_add(&line, " dropped=%ju",
			 (uintmax_t)(log_state.n_dropped - log_state.n_dropped_told));

	/* One event is one line, whatever somebody put into a value. */
	for (size_t i = 0; i < line.len; i++) {
		if ((unsigned char)line.text[i] < ' ' || line.text[i] == 0x7f)
			line.text[i] = '?';
	}
	line_add(&line, "\n");

	if (put(line.text, line.len)) {
		site->n_suppressed = 0;
		log_state.n_dropped_told = log_state.n_dropped;
	} else {
		log_state.n_dropped++;
	}
	errno = saved_errno;
}

uint64_t log_dropped(void)
{
	return log_state.n_dropped;
}

static bool is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
}

/* One character as it stands between quotes; returns its length, at most 4. */
static size_t escape(unsigned char c, char out[5])
{
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 5, "\\%c", c);
	if (c == '\n')
		return (size_t)snprintf(out, 5, "\\n");
	if (c < ' ' || c >= 0x7f) /* bytes beyond ASCII may steer a terminal, too */
		return (size_t)snprintf(out, 5, "\\x%02x", c);
	return (size_t)snprintf(out, 5, "%c", c);
}

const char *log_quote(const char *text, char *out, unsigned size)
{
	static const char cut[] = "...\"";
	const unsigned char *in = (const unsigned char *)text;
	size_t len = 0, at = 0;

	CHECK(size >= QUOTE_SIZE_MIN);
	while (len < size && is_plain(in[len]))
		len++;
	if (len > 0 && len < size && !in[len]) {
		memcpy(out, text, len + 1);
		return out;
	}

	out[at++] = '"';
	for (; *in; in++) {
		char escaped[5];
		size_t n = escape(*in, escaped);

		if (at + n + sizeof cut > size) {
			memcpy(out + at, cut, sizeof cut);
			return out;
		}
		memcpy(out + at, escaped, n);
		at += n;
	}
	memcpy(out + at, "\"", 2);
	return out;
}
