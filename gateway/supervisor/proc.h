/*
 * proc - what the kernel says of a process: /proc/PID/stat (proc(5)).
 */
#ifndef PROC_H
#define PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_look {
	char state;           /* field 3: R S D Z T t … */
	uint64_t cpu_ticks;   /* fields 14 and 15, in units of sysconf(_SC_CLK_TCK) */
	uint64_t start_ticks; /* field 22 */
};

/* -ESRCH: no such process. -EPROTO: not what proc(5) describes. */
int proc_look(pid_t pid, struct proc_look *ret_look);

/* The same from the file's text; the name in it may be anything, ") R (" included. */
int proc_parse(const char *text, struct proc_look *ret_look);

#endif
