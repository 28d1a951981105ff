#include "healthd/findings.h"

const char *canary_state_name(enum canary_state state)
{
	static const char *const names[] = {
#define X(s) [CANARY_##s] = #s,
		CANARY_STATES(X)
#undef X
	};

	return state < CANARY_STATE_COUNT ? names[state] : "unknown";
}

const char *canary_stage_name(enum canary_stage stage)
{
	static const char *const names[] = {
#define X(s) [CANARY_AT_##s] = #s,
		CANARY_STAGES(X)
#undef X
	};

	return stage < CANARY_STAGE_COUNT ? names[stage] : "unknown";
}

const char *audit_state_name(enum audit_state state)
{
	static const char *const names[] = {
#define X(s) [AUDIT_##s] = #s,
		AUDIT_STATES(X)
#undef X
	};

	return state < AUDIT_STATE_COUNT ? names[state] : "unknown";
}
