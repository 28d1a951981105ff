#include "healthd/report.h"

static json_t *number(bool known, uint64_t value)
{
	return known && value <= INT64_MAX ? json_integer((json_int_t)value)
					   : json_null();
}

static json_t *seconds(bool known, uint64_t ms)
{
	return known ? json_real((double)ms / 1e3) : json_null();
}

static json_t *report_drain(const struct verdict_drain *drain)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "connections",
			 number(drain->paced, drain->began), "remaining",
			 number(drain->left_known, drain->left), "estimatedSeconds",
			 seconds(drain->paced, drain->left_ms), "atMostSeconds",
			 seconds(drain->paced, drain->most_ms));
}

static json_t *report_roll(const struct verdict_roll *roll)
{
	return json_pack("{s:i, s:i, s:i, s:o}", "workers", (int)roll->workers, "rolled",
			 (int)roll->rolled, "remaining",
			 (int)(roll->workers - roll->rolled), "estimatedSeconds",
			 seconds(true, roll->left_ms));
}

int report_progress(const struct verdict *verdict, json_t *object)
{
	int rc = 0;

	if (verdict->drain.under_way)
		rc = json_object_set_new(object, "drain", report_drain(&verdict->drain));
	if (rc == 0 && verdict->roll.under_way)
		rc = json_object_set_new(object, "rolling", report_roll(&verdict->roll));
	return rc;
}
