#include "healthd/metrics_progress.h"

static void seconds(struct exposition *e, const char *name, const char *help,
		    uint64_t value_ms)
{
	exposition_family(e, name, EXPOSITION_GAUGE, "seconds", help);
	exposition_seconds(e, "", (double)value_ms / 1e3);
}

static void write_drain(struct exposition *e, const struct verdict_drain *drain)
{
	exposition_gauge(e, "parley_drain_active", "", "1 while the gateway drains",
			 drain->under_way);
	if (!drain->paced)
		return;
	exposition_gauge(e, "parley_drain_connections", "",
			 "Connections when the drain began", drain->began);
	if (drain->left_known)
		exposition_gauge(e, "parley_drain_remaining_connections", "",
				 "Connections that the drain has not closed yet",
				 drain->left);
	seconds(e, "parley_drain_estimated_seconds",
		"Time until the drain has closed all, by its pace", drain->left_ms);
	seconds(e, "parley_drain_deadline_seconds",
		"Time until the gateway is gone, whoever does not close", drain->most_ms);
}

static void write_roll(struct exposition *e, const struct verdict_roll *roll)
{
	exposition_gauge(e, "parley_roll_active", "",
			 "1 while workers are replaced one by one", roll->under_way);
	if (!roll->under_way)
		return;
	exposition_gauge(e, "parley_roll_workers", "", "Workers that are to be replaced",
			 roll->workers);
	exposition_gauge(e, "parley_roll_replaced_workers", "",
			 "Workers that have been replaced", roll->rolled);
	seconds(e, "parley_roll_estimated_seconds",
		"Time until all are replaced, an estimate", roll->left_ms);
}

void metrics_progress(struct exposition *e, const struct verdict *verdict)
{
	write_drain(e, &verdict->drain);
	write_roll(e, &verdict->roll);
}
