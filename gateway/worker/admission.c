#include "gateway/worker/admission.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"

static const enum counter counter_of[TOKEN_VERDICT_COUNT] = {
	[TOKEN_missing] = COUNTER_token_missing,
	[TOKEN_malformed] = COUNTER_token_malformed,
	[TOKEN_key] = COUNTER_token_key,
	[TOKEN_signature] = COUNTER_token_signature,
	[TOKEN_expired] = COUNTER_token_expired,
	[TOKEN_early] = COUNTER_token_early,
	[TOKEN_audience] = COUNTER_token_audience,
	[TOKEN_issuer] = COUNTER_token_issuer,
	[TOKEN_claims] = COUNTER_token_claims,
};

int admission_judge(struct auth *auth, struct segment_slot *slot,
		    struct handshake *handshake)
{
	struct claims claims;
	enum token_verdict verdict = auth_judge(auth, handshake->token, clock_wall_ms(),
						&claims);

	if (verdict != TOKEN_good) {
		counter_add(slot, counter_of[verdict], 1);
		LOG(debug, "token refused why=%s", token_verdict_name(verdict));
		return 401;
	}
	memcpy(handshake->user, claims.user, sizeof claims.user);
	handshake->grants = claims.grants;
	handshake->ends_ms = claims.ends_ms;
	return 0;
}
