#include "gateway/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/segment_writer.h"

/* The value of "--name=value" in one word; NULL when it is another flag. */
static const char *value_of(const char *flag, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(flag, "--", 2) != 0 || strncmp(flag + 2, name, len) != 0)
		return NULL;
	return flag[2 + len] == '=' ? flag + 3 + len : NULL;
}

static bool take_number(const char *flag, const char *name, uint64_t *ret)
{
	const char *value = value_of(flag, name);

	if (value)
		*ret = strtoull(value, NULL, 10);
	return value != NULL;
}

static int check(const struct inherited *in)
{
	bool worker = in->role == ROLE_WORKER;

	if (in->n_workers < 1 || in->n_workers >= SEGMENT_SEATS_MAX ||
	    in->seat > in->n_workers || in->slot >= in->n_slots ||
	    in->n_listeners > in->n_workers || in->generation == 0)
		return -EINVAL;
	return worker == (in->seat < in->n_workers) ? 1 : -EINVAL;
}

int inherited_parse(int argc, char *const argv[], struct inherited *ret_inherited)
{
	struct inherited in = { 0 };
	uint64_t slot = 0, seat = 0, workers = 0, listeners = 0;
	const char *role = NULL;

	for (int i = 1; i < argc; i++) {
		if (value_of(argv[i], "child"))
			role = value_of(argv[i], "child");
		else if (strcmp(argv[i], "--shared-listener") == 0)
			in.shared_listener = true;
		else
			(void)(take_number(argv[i], "slot", &slot) ||
			       take_number(argv[i], "seat", &seat) ||
			       take_number(argv[i], "generation", &in.generation) ||
			       take_number(argv[i], "workers-now", &workers) ||
			       take_number(argv[i], "listeners", &listeners));
	}
	if (!role)
		return 0;
	if (strcmp(role, "worker") != 0 && strcmp(role, "sequencer") != 0)
		return -EINVAL;
	in.role = strcmp(role, "worker") == 0 ? ROLE_WORKER : ROLE_SEQUENCER;
	in.slot = (unsigned)slot;
	in.seat = (unsigned)seat;
	in.n_workers = (unsigned)workers;
	in.n_slots = segment_slots(in.n_workers);
	in.n_listeners = (unsigned)listeners;
	*ret_inherited = in;
	return check(&in);
}

/* A worker's core is worth having, and takes what the limit allows; the sequencer is
 * replaced only when it is gone, so it must not take long to die. */
static void limit_core(enum role role)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return;
	limit.rlim_cur = role == ROLE_WORKER ? limit.rlim_max : 0;
	(void)setrlimit(RLIMIT_CORE, &limit); /* only the core would be missing */
}

int inherited_start(const struct inherited *in, struct settings *ret_settings,
		    struct why *why)
{
	int last = inherited_listener(in, in->n_listeners);
	enum log_level level = LOG_info;
	char who[32];
	int r;

	for (int fd = INHERIT_SEGMENT; fd < last; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return why_set(why, -errno, "descriptor %d was not inherited",
				       fd);
	/* Second line only: setuid clears it, and the lifeline tells first. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	limit_core(in->role);
	settings_defaults(ret_settings);
	r = settings_read_fd(ret_settings, INHERIT_SETTINGS, "inherited settings", why);
	if (r < 0)
		return r;
	(void)log_level_parse(ret_settings->log_level, &level);
	if (in->role == ROLE_WORKER)
		snprintf(who, sizeof who, "worker %u", in->seat);
	else
		snprintf(who, sizeof who, "sequencer");
	log_open(level, who);
	/* INT comes to the whole terminal; only the supervisor acts on it. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

void inherited_ready(void)
{
	/* Nobody there: the lifeline tells. */
	(void)!write(INHERIT_READY, "R\n", 2);
	close(INHERIT_READY);
}
