#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "common/log.h"
#include "gateway/supervisor/handover.h"
#include "gateway/supervisor/parts.h"

/* ---- which program ---- */

/* By the name it was started by, which may be given to another file meanwhile; that of
 * /proc/self/exe would still be the old one's. */
void upgrade_init(struct supervisor *s)
{
	char *program = s->upgrade.program, folder[PATH_MAX / 2];
	const char *name = (const char *)getauxval(AT_EXECFN);
	ssize_t len;

	if (name && *name == '/' && strncmp(name, "/proc/", 6) != 0 &&
	    strncmp(name, "/dev/fd/", 8) != 0)
		snprintf(program, PATH_MAX, "%s", name);
	else if (name && *name != '/' && getcwd(folder, sizeof folder))
		snprintf(program, PATH_MAX, "%s/%s", folder, name);
	else if ((len = readlink("/proc/self/exe", program, PATH_MAX - 1)) > 0)
		program[len] = 0;
	else
		snprintf(program, PATH_MAX, "/proc/self/exe");
}

/* ---- asking it ---- */

static void refused(struct supervisor *s, const char *why)
{
	LOG(error, "upgrade refused, nothing changed program=%s why=\"%s\"",
	    s->upgrade.program, why);
	if (!s->rolling)
		roll_announce(s, false);
}

void upgrade_begin(struct supervisor *s)
{
	uint64_t deadline_ms = supervisor_now_ms() +
			       (uint64_t)s->settings.start_timeout_ms;
	struct upgrade *u = &s->upgrade;
	struct why why;
	int fds[] = { -1, s->segment_fd, s->bus_fd, s->settings_fd };
	int r;

	if (!supervisor_wants_workers(s) || u->trial.pid || u->go) {
		LOG(notice, "upgrade not begun why=\"%s\"",
		    supervisor_wants_workers(s) ? "one is under way" : "gateway drains");
		return;
	}
	roll_announce(s, true);
	r = handover_write(s, &fds[0], &why);
	if (r == 0)
		r = trial_start(&u->trial, u->program, s->source, fds, 4, deadline_ms,
				&why);
	if (fds[0] >= 0)
		close(fds[0]);
	if (r < 0)
		refused(s, why.text);
}

void upgrade_reaped(struct supervisor *s, pid_t pid, int status)
{
	struct upgrade *u = &s->upgrade;
	struct why why;

	if (pid != u->trial.pid)
		return;
	if (trial_ended(&u->trial, status, u->version, &why) < 0) {
		refused(s, why.text);
	} else if (supervisor_wants_workers(s)) {
		u->go = true;
		uv_stop(&s->loop);
	}
}

void upgrade_tick(struct supervisor *s, uint64_t now_ms)
{
	trial_tick(&s->upgrade.trial, now_ms);
}

/* ---- becoming it ---- */

static int keep(int fd)
{
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

/* Returns only when it failed. */
static int become(struct supervisor *s, int state_fd, struct why *why)
{
	char value[32];
	int r;

	snprintf(value, sizeof value, "take:%d", state_fd);
	r = keep(state_fd);
	if (r == 0)
		r = handover_fds(s, keep);
	if (r == 0 && setenv(TRIAL_VARIABLE, value, 1) < 0)
		r = -errno;
	if (r == 0) {
		LOG(notice, "gateway becomes another version=%s", s->upgrade.version);
		execv(s->upgrade.program, s->source->argv);
		r = -errno;
	}
	(void)unsetenv(TRIAL_VARIABLE); /* fails only for a bad name */
	/* What could be set can be set back. */
	(void)handover_fds(s, handover_close_on_exec);
	return why_set(why, r, "%s", strerror(-r));
}

bool upgrade_becomes(struct supervisor *s)
{
	sigset_t all, before;
	struct why why;
	int fd = -1;

	if (!s->upgrade.go)
		return false;
	sigfillset(&all);
	/* What comes from now on waits until the other program asks for it. */
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	/* What has come lies in a pipe of the loop, which ends here. */
	uv_run(&s->loop, UV_RUN_NOWAIT);
	s->upgrade.go = false;
	if (supervisor_wants_workers(s)) {
		if (handover_write(s, &fd, &why) == 0)
			(void)become(s, fd, &why);
		refused(s, why.text);
	}
	if (fd >= 0)
		close(fd);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return true;
}
