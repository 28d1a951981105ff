#include "gateway/supervisor/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "gateway/supervisor/parts.h"

enum {
	LATE_TICK_MS = 500 /* so late, the machine stood still: nobody is to blame */
};

uint64_t supervisor_now_ms(void)
{
	return clock_mono_ns() / MS_NS;
}

/* ---- the tick ---- */

static void rearm(struct supervisor *s, uint64_t now_ms)
{
	LOG(warning, "late tick late_ms=%" PRIu64, s->late_ms);
	word_add(&s->words->late_ticks, 1);
	for (unsigned i = 0; i < s->n_slots; i++)
		if (s->children[i].state != CHILD_free)
			child_rearm(&s->children[i], now_ms, s->late_ms);
	for (unsigned i = 0; i < s->n_seats; i++)
		seat_rearm(&s->seats[i], s->late_ms);
	leave_rearm(s);
}

static void beat(struct supervisor *s, uint64_t now_ms)
{
	s->late_ms = now_ms > s->next_tick_ms ? now_ms - s->next_tick_ms : 0;
	s->next_tick_ms = now_ms + SEGMENT_BEAT_MS;
	word_set(&s->words->uptime_ms, now_ms - s->started_ms);
	word_add(&s->words->beat, 1);
	if (s->late_ms > LATE_TICK_MS)
		rearm(s, now_ms);
}

static void keep_name(struct supervisor *s)
{
	int r = segment_keep_name(s->segment);

	if (r > 0)
		LOG(warning, "segment put back name=%s", s->settings.segment);
	else if (r < 0 && r != s->keep_error)
		LOG(error, "segment not put back name=%s why=\"%s\"", s->settings.segment,
		    strerror(-r));
	s->keep_error = r;
}

static void on_tick(uv_timer_t *timer)
{
	struct supervisor *s = timer->data;
	uint64_t now_ms = supervisor_now_ms();

	beat(s, now_ms);
	keep_name(s);
	for (unsigned i = 0; i < s->n_slots; i++)
		child_tick(&s->children[i], now_ms);
	heal_tick(s, now_ms);
	processes_dismiss(s);
	processes_fill(s);
	roll_step(s);
	upgrade_tick(s, now_ms);
	leave_tick(s, now_ms);
	obituary_tick(s, now_ms);
	manager_tick(&s->manager, now_ms);
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct supervisor *s = handle->data;

	switch (number) {
	case SIGCHLD: processes_reap(s); break;
	case SIGHUP: roll_begin(s); break;
	case SIGUSR2: upgrade_begin(s); break;
	case SIGUSR1:
		if (s->state != GATEWAY_draining)
			leave_begin(s);
		break;
	default: leave_begin(s); break;
	}
}

static int start_signals(struct supervisor *s)
{
	static const int numbers[SUPERVISOR_SIGNALS] = { SIGTERM, SIGINT, SIGUSR1,
							 SIGUSR2, SIGHUP, SIGCHLD };
	int r = 0;

	for (int i = 0; i < SUPERVISOR_SIGNALS; i++) {
		CHECK(uv_signal_init(&s->loop, &s->signals[i]) == 0);
		s->signals[i].data = s;
	}
	for (int i = 0; i < SUPERVISOR_SIGNALS && r == 0; i++)
		r = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	return r;
}

/* ---- life ---- */

/* Up to the hard limit: descriptors of children are limited by ours. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* less clients, if it fails */
}

static void run(struct supervisor *s)
{
	CHECK(uv_timer_init(&s->loop, &s->tick) == 0);
	s->tick.data = s;
	s->next_tick_ms = supervisor_now_ms();
	CHECK(uv_timer_start(&s->tick, on_tick, 0, SEGMENT_BEAT_MS) == 0);
	processes_tell(s);
	do
		uv_run(&s->loop, UV_RUN_DEFAULT);
	while (upgrade_becomes(s));

	s->state = GATEWAY_stopped;
	word_set(&s->words->state, GATEWAY_stopped);
	LOG(notice, "gateway stopped");
	uv_close((uv_handle_t *)&s->tick, NULL);
}

static void init(struct supervisor *s, const struct settings *settings,
		 const struct supervisor_source *source)
{
	enum log_level level = LOG_info;

	s->settings = *settings;
	s->source = source;
	s->state = GATEWAY_starting;
	s->started_ms = supervisor_now_ms();
	s->bus_fd = s->settings_fd = -1;
	memset(s->key_fds, -1, sizeof s->key_fds);
	s->lifeline[0] = s->lifeline[1] = -1;
	memset(s->wake_fds, -1, sizeof s->wake_fds);
	memset(s->ready_fds, -1, sizeof s->ready_fds);
	(void)log_level_parse(settings->log_level, &level); /* is one of the choices */
	log_open(level, "gateway");
	srandom((unsigned)clock_mono_ns() ^ (unsigned)getpid());
	manager_init(&s->manager);
	upgrade_init(s);
}

static void stop_signals(struct supervisor *s)
{
	for (int i = 0; i < SUPERVISOR_SIGNALS; i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
}

/* Signals wait since before the exec, as does whoever died since then. */
static void go_on(struct supervisor *s)
{
	enum log_level level = LOG_info;
	sigset_t none;

	if (log_level_parse(s->settings.log_level, &level) == 0)
		log_open(level, "gateway");
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	LOG(notice, "gateway goes on version=%s", PARLEY_VERSION);
	processes_reap(s);
	roll_upgraded(s);
}

/* state_fd: what another program hands over; -1: there is none. */
static int live(struct supervisor *s, int state_fd, struct why *why)
{
	int r;

	raise_descriptors();
	CHECK(uv_loop_init(&s->loop) == 0);
	/* Before anything that takes time: a TERM must find us listening. */
	r = start_signals(s);
	if (r == 0)
		r = state_fd < 0 ? setup_make(s, why) : resume_make(s, state_fd, why);
	if (r == 0 && state_fd >= 0)
		go_on(s);
	if (r == 0)
		run(s);
	stop_signals(s);
	uv_run(&s->loop, UV_RUN_DEFAULT); /* all handles are closed */
	return r;
}

static int run_and_free(struct supervisor *s, int state_fd)
{
	struct why why = { "no memory" };
	int r = live(s, state_fd, &why);

	CHECK(r < 0 || uv_loop_close(&s->loop) == 0);
	setup_release(s);
	if (r < 0)
		LOG(error, "gateway cannot start why=\"%s\"", why.text);
	/* Who took over and fails has died; to start again may mend it. */
	r = r == -EINVAL && state_fd < 0 ? SETTINGS_EXIT : r < 0 ? 1 : s->exit_code;
	free(s);
	return r;
}

int supervisor_run(const struct settings *settings,
		   const struct supervisor_source *source)
{
	struct supervisor *s = calloc(1, sizeof *s);

	if (!s)
		return 1;
	init(s, settings, source);
	return run_and_free(s, -1);
}

int supervisor_resume(const struct supervisor_source *source, int fd)
{
	struct supervisor *s = calloc(1, sizeof *s);
	struct settings settings;

	if (!s)
		return 1;
	settings_defaults(&settings);
	init(s, &settings, source);
	return run_and_free(s, fd);
}
