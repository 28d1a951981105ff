#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/settings_table.h"

/* ---- names that are none -------------------------------------------------------- */

static bool is_same_letter(char a, char b)
{
	if (b == '_' && a == '-')
		return true;
	return toupper((unsigned char)a) == b;
}

/* Letters to insert, drop or change to get from `word` to `name` (Levenshtein). */
static size_t distance(const char *word, const char *name)
{
	size_t row[SETTING_NAME_SIZE];
	size_t name_len = strlen(name);

	CHECK(name_len < SETTING_NAME_SIZE);
	for (size_t j = 0; j <= name_len; j++)
		row[j] = j;
	for (size_t i = 0; word[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= name_len; j++) {
			size_t best = diagonal + !is_same_letter(word[i], name[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[name_len];
}

static const struct setting *nearest_to(const char *word)
{
	const struct setting *nearest = NULL;
	size_t least = 4; /* further away it is not a slip of the finger */
	size_t n;
	const struct setting *table = setting_table(&n);

	/* A long word is near to nothing; this also bounds the work. */
	if (strlen(word) >= SETTING_NAME_SIZE)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t away = distance(word, table[i].name);

		if (away < least && away < strlen(word)) {
			least = away;
			nearest = &table[i];
		}
	}
	return nearest;
}

int setting_unknown(const char *name, const char *label, struct why *why)
{
	const struct setting *nearest;
	char flag[SETTING_NAME_SIZE];
	bool is_variable = strncmp(name, SETTING_PREFIX, sizeof SETTING_PREFIX - 1) == 0;

	nearest = nearest_to(is_variable ? name + sizeof SETTING_PREFIX - 1 : name);
	if (!nearest)
		return why_set(why, -ENOENT, "%s is not a setting", label);
	if (is_variable)
		return why_set(why, -ENOENT,
			       "%s is not a setting; did you mean " SETTING_PREFIX "%s?",
			       label, nearest->name);
	return why_set(why, -ENOENT, "%s is not a setting; did you mean %s?", label,
		       setting_flag(nearest, flag));
}

/* ---- settings that must agree --------------------------------------------------- */

/* `name` must be at least `times` times `other`, or more than it where times is 0. */
static const struct rule {
	const char *name, *other;
	size_t offset, other_offset;
	int64_t times;
} rules[] = {
#define RULE(NAME, field, TIMES, OTHER, other_field)                          \
	{                                                                     \
		.name = SETTING_PREFIX #NAME, .other = SETTING_PREFIX #OTHER, \
		.offset = offsetof(struct settings, field),                   \
		.other_offset = offsetof(struct settings, other_field),       \
		.times = (TIMES),                                             \
	}
	RULE(HANG_ACT_MS, hang_act_ms, 0, HANG_REPORT_MS, hang_report_ms),
	RULE(DRAIN_DEADLINE_MS, drain_deadline_ms, 1, DRAIN_SPREAD_MS, drain_spread_ms),
	/* A message must fit, with what surrounds it, where it has to pass. */
	RULE(ROOM_LOG_BYTES, room_log_bytes, 2, MESSAGE_MAX, message_max),
	RULE(ROOM_LOGS_BYTES, room_logs_bytes, 1, ROOM_LOG_BYTES, room_log_bytes),
	RULE(BUS_RING_BYTES, bus_ring_bytes, 8, MESSAGE_MAX, message_max),
#undef RULE
};

static int check_rule(const struct rule *rule, const struct settings *settings,
		      struct why *why)
{
	int64_t value, other;
	char what[32] = "more than";

	memcpy(&value, (const char *)settings + rule->offset, sizeof value);
	memcpy(&other, (const char *)settings + rule->other_offset, sizeof other);
	if (rule->times ? value >= rule->times * other : value > other)
		return 0;
	if (rule->times == 1)
		snprintf(what, sizeof what, "at least");
	else if (rule->times)
		snprintf(what, sizeof what, "at least %" PRId64 " times", rule->times);
	return why_set(why, -EINVAL,
		       "%s is %" PRId64 ", but must be %s %s, which is %" PRId64,
		       rule->name, value, what, rule->other, other);
}

static bool is_loopback(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int check_address(const char *name, const char *text, char host[64],
			 struct why *why)
{
	uint16_t port;

	if (settings_address(text, host, 64, &port) < 0)
		return why_set(why, -EINVAL,
			       SETTING_PREFIX
			       "%s is '%s', but must be an address and a port, "
			       "as in 127.0.0.1:8080 or [::1]:8080",
			       name, text);
	return 0;
}

/* Which of them can be had is the store's to say. Not quoted: it may hold a password. */
static int check_store(const struct settings *settings, struct why *why)
{
	static const char *const kinds[] = { "sqlite:", "postgresql://", "postgres://" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strncmp(settings->store, kinds[i], strlen(kinds[i])) == 0 &&
		    settings->store[strlen(kinds[i])])
			return 0;
	return why_set(why, -EINVAL,
		       SETTING_PREFIX "STORE must be sqlite: and a path, or the URL of "
				      "a database that begins with postgresql://");
}

int settings_agree(const struct settings *settings, struct why *why)
{
	char host[64];
	int rc;

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		rc = check_rule(&rules[i], settings, why);
		if (rc < 0)
			return rc;
	}
	if (!*settings->segment || strchr(settings->segment, '/') ||
	    *settings->segment == '.')
		return why_set(why, -EINVAL,
			       SETTING_PREFIX "SEGMENT is '%s', but must be a file name "
					      "without a slash or a leading dot",
			       settings->segment);
	rc = check_store(settings, why);
	if (rc < 0)
		return rc;
	rc = check_address("HEALTH_LISTEN", settings->health_listen, host, why);
	if (rc < 0)
		return rc;
	rc = check_address("CANARY_CONNECT", settings->canary_connect, host, why);
	if (rc < 0)
		return rc;
	rc = check_address("LISTEN", settings->listen, host, why);
	if (rc < 0)
		return rc;
	if (strcmp(settings->auth, "jwt") == 0 && !*settings->jwt_key_file)
		return why_set(why, -EINVAL,
			       SETTING_PREFIX "AUTH is jwt, but " SETTING_PREFIX
					      "JWT_KEY_FILE names no file with keys");
	if (!*settings->tls_cert_file != !*settings->tls_key_file)
		return why_set(why, -EINVAL,
			       SETTING_PREFIX "TLS_CERT_FILE and " SETTING_PREFIX
					      "TLS_KEY_FILE go together; one is not set");
	if (strcmp(settings->auth, "open") == 0 && !is_loopback(host) &&
	    strcmp(settings->open_beyond_loopback, "yes") != 0)
		return why_set(why, -EINVAL,
			       SETTING_PREFIX
			       "LISTEN is %s, where others can reach a gateway that "
			       "lets everyone in; set " SETTING_PREFIX
			       "OPEN_BEYOND_LOOPBACK=yes if that is meant",
			       settings->listen);
	return 0;
}

/* ---- addresses ------------------------------------------------------------------ */

static bool is_numeric_host(const char *host, bool bracketed)
{
	struct in6_addr any;

	return inet_pton(bracketed ? AF_INET6 : AF_INET, host, &any) == 1;
}

int settings_address(const char *text, char *host, size_t host_size, uint16_t *ret_port)
{
	bool bracketed = *text == '[';
	const char *start = text + bracketed;
	const char *end = strchr(start, bracketed ? ']' : ':');
	const char *port;
	unsigned long number;

	if (!end || (bracketed && end[1] != ':'))
		return -EINVAL;
	port = end + 1 + bracketed;
	if (!*port || strlen(port) > 5 || port[strspn(port, "0123456789")])
		return -EINVAL;
	number = strtoul(port, NULL, 10);
	if (number > UINT16_MAX || (size_t)(end - start) >= host_size)
		return -EINVAL;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	if (!is_numeric_host(host, bracketed))
		return -EINVAL;
	*ret_port = (uint16_t)number;
	return 0;
}
