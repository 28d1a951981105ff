/*
 * auth - who may come in by token: the settings, the keys and the time together.
 *
 * The supervisor reads the key file when the gateway starts and when it is told to
 * reload (auth_read_keys), and hands a copy to its children: a file that is half
 * written or bad harms no worker that starts meanwhile, and all workers of one
 * generation of settings know the same keys. A key that is taken out of the file is
 * good no more after HUP; who is in by it leaves with the workers that are replaced.
 */
#ifndef AUTH_H
#define AUTH_H

#include <stdint.h>

#include "common/settings.h"
#include "common/why.h"
#include "gateway/auth/claims.h"

struct auth;

/*
 * Reads PARLEY_JWT_KEY_FILE, checks it, and returns a new descriptor with a copy (close
 * on exec); an empty one where the settings ask for no tokens. -EINVAL with the reason,
 * which names the setting: not there, no regular file, nothing that serves, or readable
 * by everybody with a secret in it, or writable by everybody.
 */
int auth_read_keys(const struct settings *settings, int *ret_fd, struct why *why);

/* The worker's end, with the keys of that descriptor, which stays the caller's.
 * *ret_auth is NULL where the settings ask for no tokens. */
int auth_new(const struct settings *settings, int keys_fd, struct auth **ret_auth,
	     struct why *why);
void auth_free(struct auth *auth);

/* The verdict on a token ("" for none). ret->grants is then the caller's to unref, and
 * says what the settings say where the token says nothing. */
enum token_verdict auth_judge(struct auth *auth, struct text token, int64_t now_ms,
			      struct claims *ret);

#endif
