/* said - reads what an answer of healthd says. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/verdicts.h"

static bool nonsense(struct said *said, const char *why)
{
	(void)snprintf(said->why, sizeof(said->why), "%s", why);
	return said->makes_sense = false;
}

static bool read_status(struct said *said, const json_t *object)
{
	static const struct {
		const char *name;
		enum says says;
	} words[] = {
		{ "ok", SAYS_ok },
		{ "degraded", SAYS_degraded },
		{ "unknown", SAYS_degraded },
		{ "error", SAYS_error },
	};
	const char *status = json_string_value(json_object_get(object, "status"));

	for (size_t i = 0; status && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].name, status)) {
			said->says = words[i].says;
			return true;
		}
	return nonsense(said, "no status that there is");
}

/* A number or null. */
static bool read_count(struct said *said, const json_t *of, const char *name,
		       bool *ret_has, uint64_t *ret_value)
{
	const json_t *value = json_object_get(of, name);

	*ret_has = json_is_integer(value);
	*ret_value = (uint64_t)json_integer_value(value);
	if (json_is_null(value) || (*ret_has && json_integer_value(value) >= 0))
		return true;
	return nonsense(said, "no count that can be");
}

static bool read_json(struct said *said, const char *body)
{
	json_t *object = json_loads(body, 0, NULL);
	const json_t *connections = json_object_get(object, "connections");
	bool good = object ? read_status(said, object) : nonsense(said, "no JSON");

	if (good && said->path == PATH_websocket)
		good = read_count(said, connections, "active", &said->has_active,
				  &said->active) &&
		       read_count(said, connections, "total", &said->has_total,
				  &said->total);
	json_decref(object);
	return good;
}

static bool read_metrics(struct said *said, const char *body)
{
	const char *up = strstr(body, "\nparley_up ");

	if (!up || (up[11] != '0' && up[11] != '1'))
		return nonsense(said, "no parley_up");
	said->says = up[11] == '1' ? SAYS_ok : SAYS_error;
	return true;
}

struct said said_read(const struct answer *answer)
{
	struct said said = {
		.path = answer->path,
		.asked_us = answer->asked_us,
		.answered_us = answer->answered_us,
		.answered = !answer->failure,
		.makes_sense = true,
	};
	unsigned code;

	if (answer->failure) {
		(void)nonsense(&said, answer->failure);
		return said;
	}
	if (answer->path == PATH_metrics ? !read_metrics(&said, answer->body)
					 : !read_json(&said, answer->body))
		return said;
	code = answer->path != PATH_metrics && said.says == SAYS_error ? 503 : 200;
	if (answer->code != code)
		(void)nonsense(&said, "its code is not that of its words");
	return said;
}
