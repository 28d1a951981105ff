#include "gateway/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "common/segment_writer.h"

enum {
	ORPHAN_END_S = 3 /* after the drain of an orphan, which is shorter */
};

/* ---- the command line ---- */

/* The value of "--name=value", or NULL for another argument. */
static const char *value_of(const char *arg, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, len) != 0)
		return NULL;
	return arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;
}

static const char *find(int argc, char *const argv[], const char *name)
{
	const char *value = NULL;

	for (int i = 1; i < argc && !value; i++)
		value = value_of(argv[i], name);
	return value;
}

static int find_number(int argc, char *const argv[], const char *name, uint64_t max,
		       uint64_t *ret_value)
{
	const char *text = find(argc, argv, name);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	return errno == 0 && !*end && *ret_value <= max ? 0 : -EINVAL;
}

static bool has_word(int argc, char *const argv[], const char *arg)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], arg) == 0)
			return true;
	return false;
}

static int parse_role(const char *text, enum role *ret_role)
{
	if (strcmp(text, "worker") == 0)
		*ret_role = ROLE_WORKER;
	else if (strcmp(text, "sequencer") == 0)
		*ret_role = ROLE_SEQUENCER;
	else
		return -EINVAL;
	return 0;
}

int inherited_parse(int argc, char *const argv[], struct inherited *ret_inherited)
{
	struct inherited in = { .n_workers = 0 };
	const char *role = find(argc, argv, "child");
	uint64_t slot, seat, n_workers, n_listeners;

	if (!role)
		return 0;
	if (parse_role(role, &in.role) < 0 ||
	    find_number(argc, argv, "workers-now", SEGMENT_SEATS_MAX - 1, &n_workers) <
		    0 ||
	    find_number(argc, argv, "slot", 2 * n_workers, &slot) < 0 ||
	    find_number(argc, argv, "seat", n_workers, &seat) < 0 ||
	    find_number(argc, argv, "generation", UINT64_MAX, &in.generation) < 0 ||
	    find_number(argc, argv, "listeners", n_workers, &n_listeners) < 0)
		return -EINVAL;
	in.slot = (unsigned)slot;
	in.seat = (unsigned)seat;
	in.n_workers = (unsigned)n_workers;
	in.n_slots = segment_slots(in.n_workers);
	in.n_listeners = (unsigned)n_listeners;
	in.shared_listener = has_word(argc, argv, "--shared-listener");
	if (in.n_workers == 0 || in.generation == 0 ||
	    (in.role == ROLE_WORKER) != (in.seat < in.n_workers) ||
	    in.n_listeners != (in.shared_listener ? 1 : in.n_workers))
		return -EINVAL;
	*ret_inherited = in;
	return 1;
}

/* ---- the first steps ---- */

static int close_on_exec(const struct inherited *in, struct why *why)
{
	int end = inherited_listener(in, in->n_listeners);

	for (int fd = INHERIT_SEGMENT; fd < end; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return why_set(why, -errno, "descriptor %d was not inherited",
				       fd);
	return 0;
}

/* Whose loop turns hears of the supervisor's end by its lifeline and leaves in order.
 * For one that hangs the kernel has a signal, and then a clock. */
static void on_parent_death(int number)
{
	(void)number;
	(void)alarm(ORPHAN_END_S); /* SIGALRM ends the process */
}

static void outlive_nobody(void)
{
	(void)signal(SIGUSR1, on_parent_death);
	(void)prctl(PR_SET_PDEATHSIG, SIGUSR1);
}

/* Names for ps and the log. */
static void introduce(const struct inherited *in, enum log_level level)
{
	char name[32] = "sequencer";

	if (in->role == ROLE_WORKER)
		snprintf(name, sizeof name, "worker %u", in->seat);
	outlive_nobody();
	(void)prctl(PR_SET_NAME,
		    in->role == ROLE_WORKER ? "parley-worker" : "parley-seq");
	log_open(level, name);
	/* Those of a terminal, or sent to all processes: only the supervisor acts. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
}

int inherited_start(const struct inherited *in, struct settings *ret_settings,
		    struct why *why)
{
	enum log_level level = LOG_info;
	int r;

	settings_defaults(ret_settings);
	r = settings_read_fd(ret_settings, INHERIT_SETTINGS, "the inherited settings",
			     why);
	if (r == 0)
		r = close_on_exec(in, why);
	if (r == 0)
		r = log_level_parse(ret_settings->log_level, &level);
	introduce(in, level);
	return r;
}

void inherited_ready(void)
{
	/* A supervisor that is gone is told by the lifeline. */
	if (write(INHERIT_READY, "R\n", 2) == 2)
		close(INHERIT_READY);
}
