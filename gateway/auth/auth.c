#include "gateway/auth/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/auth/key_file.h"
#include "gateway/auth/token.h"

enum {
	SHARED_SIZE = 256 /* a power of two */
};

/* `shared`: the last grants seen, by their hash, so that many who may do the same share
 * one object. */
struct auth {
	struct keys *keys;
	struct token_rules rules;
	struct settings settings; /* what rules point into */
	struct grants *standard;  /* where the token says nothing; NULL: everything */
	struct grants *shared[SHARED_SIZE];
};

static bool asks_for_tokens(const struct settings *settings)
{
	return strcmp(settings->auth, "jwt") == 0;
}

int auth_read_keys(const struct settings *settings, int *ret_fd, struct why *why)
{
	return key_file_copy(asks_for_tokens(settings) ? settings->jwt_key_file : NULL,
			     ret_fd, why);
}

static void set_rules(struct auth *auth)
{
	const struct settings *s = &auth->settings;

	auth->rules = (struct token_rules){
		.claims = { .audience = s->jwt_audience,
			    .issuer = s->jwt_issuer,
			    .user = s->jwt_user_claim,
			    .leeway_ms = s->jwt_leeway_s * 1000 },
		.len_max = (size_t)s->jwt_token_max,
	};
}

int auth_new(const struct settings *settings, int keys_fd, struct auth **ret_auth,
	     struct why *why)
{
	static const struct grant_list nothing[GRANT_COUNT];
	struct auth *auth;
	int r;

	*ret_auth = NULL;
	if (!asks_for_tokens(settings))
		return 0;
	auth = calloc(1, sizeof *auth);
	if (!auth)
		return why_set(why, -ENOMEM, "no memory for keys");
	auth->settings = *settings;
	set_rules(auth);
	r = key_file_read_copy(keys_fd, &auth->keys, why);
	if (r == 0 && strcmp(settings->jwt_rooms_default, "none") == 0)
		r = grants_new(nothing, &auth->standard);
	if (r < 0)
		auth_free(auth);
	else
		*ret_auth = auth;
	return r;
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	for (unsigned i = 0; i < SHARED_SIZE; i++)
		grants_unref(auth->shared[i]);
	grants_unref(auth->standard);
	keys_free(auth->keys);
	free(auth);
}

/* The one that says the same, if it is still known; else this one is from now on. */
static struct grants *share(struct auth *auth, struct grants *grants)
{
	struct grants **known = &auth->shared[grants_hash(grants) % SHARED_SIZE];
	bool same = *known && grants_same(*known, grants);

	grants_unref(same ? grants : *known);
	if (!same)
		*known = grants;
	return grants_ref(*known);
}

enum token_verdict auth_judge(struct auth *auth, struct text token, int64_t now_ms,
			      struct claims *ret)
{
	enum token_verdict verdict = token_verify(token, auth->keys, &auth->rules, now_ms,
						  ret);

	if (verdict == TOKEN_good)
		ret->grants = ret->grants ? share(auth, ret->grants)
					  : grants_ref(auth->standard);
	return verdict;
}
