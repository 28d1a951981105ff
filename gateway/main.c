/*
 * main - parley-gateway: the supervisor, and its children with --child.
 */
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "gateway/auth/api_keys.h"
#include "gateway/auth/auth.h"
#include "gateway/inherit.h"
#include "gateway/sequencer/sequencer.h"
#include "gateway/supervisor/supervisor.h"
#include "gateway/tls/tls.h"
#include "gateway/worker/worker.h"

static int run_child(const struct inherited *inherited)
{
	struct settings settings;
	struct why why;

	if (inherited_start(inherited, &settings, &why) < 0) {
		LOG(error, "child cannot start why=\"%s\"", why.text);
		return 1;
	}
	if (inherited->role == ROLE_SEQUENCER)
		return sequencer_run(inherited, &settings);
	return worker_run(inherited, &settings);
}

static int read_keys(const struct settings *settings, int ret_fds[KEYS_FILES],
		     struct why *why)
{
	int r = auth_read_keys(settings, &ret_fds[KEYS_tokens], why);

	if (r < 0)
		return r;
	r = api_keys_read(settings, &ret_fds[KEYS_api], why);
	if (r < 0) {
		close(ret_fds[KEYS_tokens]);
		return r;
	}
	r = tls_read_files(settings, &ret_fds[KEYS_certificate], why);
	if (r < 0) {
		close(ret_fds[KEYS_tokens]);
		close(ret_fds[KEYS_api]);
	}
	return r;
}

static int check_keys(const struct settings *settings, struct why *why)
{
	int fds[KEYS_FILES], r = read_keys(settings, fds, why);

	for (unsigned i = 0; i < KEYS_FILES && r == 0; i++)
		close(fds[i]);
	return r;
}

/* For the gateway that runs: whether this program would take its place. */
static int answer_handover(const struct supervisor_source *source, int fd)
{
	struct settings settings;
	struct why why;
	int r = settings_reload(&settings, SETTINGS_GATEWAY, source->argc, source->argv,
				source->environ, NULL, &why);

	if (r == 0)
		r = check_keys(&settings, &why);
	if (r == 0)
		r = supervisor_try(fd, &why);
	if (r < 0) {
		fprintf(stderr, "%s\n", why.text);
		return SETTINGS_EXIT;
	}
	return printf("parley-gateway %s takes over\n", PARLEY_VERSION) > 0 ? 0 : 1;
}

static int run_supervisor(int argc, char **argv)
{
	int fd = -1, r;
	enum supervisor_handover handover = supervisor_handover(&fd);
	struct supervisor_source source = { argc, argv, environ, read_keys };
	struct settings settings;

	if (handover == HANDOVER_try)
		return answer_handover(&source, fd);
	if (handover == HANDOVER_take)
		return supervisor_resume(&source, fd);
	r = settings_start(&settings, SETTINGS_GATEWAY,
			   "parley-gateway [--name value]...", argc, argv, environ, NULL,
			   check_keys);

	if (r != 0)
		return r < 0 ? SETTINGS_EXIT : 0;
	return supervisor_run(&settings, &source);
}

int main(int argc, char **argv)
{
	struct inherited inherited;
	int r = inherited_parse(argc, argv, &inherited);

	if (r < 0) {
		fputs("parley-gateway: --child is only for the supervisor\n", stderr);
		return SETTINGS_EXIT;
	}
	return r > 0 ? run_child(&inherited) : run_supervisor(argc, argv);
}
