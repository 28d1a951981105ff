/*
 * proc - what the kernel says of a process, from /proc/PID.
 */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	char state;           /* R S D T t Z X …, as in proc(5) */
	uint64_t cpu_ms;      /* used by all its threads, user and system */
	uint64_t start_ticks; /* since boot; with the pid it names one process for good */
};

/* The text of /proc/PID/stat. The process chooses its name in it freely, with spaces,
 * parentheses and newlines. -EPROTO: not such a text. */
int proc_parse(const char *text, size_t len, struct proc_stat *ret_stat);

/* -errno; -ENOENT or -ESRCH when there is no such process. */
int proc_read(pid_t pid, struct proc_stat *ret_stat);

/* Whether the kernel is writing its core: it is dead, but not yet to be waited for. */
bool proc_dumps_core(pid_t pid);

#endif
