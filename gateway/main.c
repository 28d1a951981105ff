/* main - the gateway's one binary: supervisor, worker or sequencer. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/settings.h"
#include "gateway/inherit.h"
#include "gateway/sequencer/sequencer.h"
#include "gateway/supervisor/supervisor.h"
#include "gateway/worker/worker.h"

static int run_child(const struct inherited *inherited)
{
	struct settings settings;
	struct why why;

	if (inherited_start(inherited, &settings, &why) < 0) {
		fprintf(stderr, "parley-gateway: %s\n", why.text);
		return SETTINGS_EXIT;
	}
	if (inherited->role == ROLE_SEQUENCER)
		return sequencer_run(inherited, &settings);
	return worker_run(inherited, &settings);
}

int main(int argc, char **argv)
{
	struct supervisor_source source = { argc, argv, environ };
	struct inherited inherited;
	struct settings settings;
	int r = inherited_parse(argc, argv, &inherited);

	if (r > 0)
		return run_child(&inherited);
	if (r < 0) {
		fprintf(stderr, "parley-gateway: --child is for the supervisor only\n");
		return SETTINGS_EXIT;
	}
	r = settings_start(&settings, SETTINGS_GATEWAY,
			   "parley-gateway [--setting value]...", argc, argv, environ,
			   NULL);
	if (r != 0)
		return r < 0 ? SETTINGS_EXIT : 0;
	return supervisor_run(&settings, &source);
}
