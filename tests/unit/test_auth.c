/* test_auth - settings, a copy of the key file and a token together. */
#include <errno.h>
#include <unistd.h>

#include "gateway/auth/auth.h"
#include "tests/unit/token_bench.h"

#define HEADER  "{\"alg\":\"HS256\"}"
#define PAYLOAD "{\"sub\":\"ann\",\"exp\":1800000060}"
#define ROOMS(rooms) \
	"{\"sub\":\"ann\",\"exp\":1800000060,\"parley\":{\"join\":[\"" rooms "\"]}}"

struct fixture {
	struct settings settings;
	char path[64];
	int fd;
	struct auth *auth;
};

/* A worker's end, with KEY, and these rooms for tokens that name none. */
static void start(struct fixture *f, const char *rooms_default)
{
	int fd;

	settings_defaults(&f->settings);
	strcpy(f->settings.auth, "jwt");
	strcpy(f->settings.jwt_rooms_default, rooms_default);
	strcpy(f->path, "/tmp/parley-auth-XXXXXX");
	fd = mkstemp(f->path); /* mode 0600 */
	assert_int_equal(write(fd, KEY, strlen(KEY)), strlen(KEY));
	close(fd);
	strcpy(f->settings.jwt_key_file, f->path);
	assert_int_equal(auth_read_keys(&f->settings, &f->fd, NULL), 0);
	assert_int_equal(auth_new(&f->settings, f->fd, &f->auth, NULL), 0);
	unlink(f->path);
}

static void stop(struct fixture *f)
{
	auth_free(f->auth);
	close(f->fd);
}

static enum token_verdict judge_at(struct fixture *f, const char *payload, int64_t now_ms,
				   struct claims *ret)
{
	const char *token = token_of(HEADER, payload, SECRET, strlen(SECRET));

	return auth_judge(f->auth, (struct text){ token, (uint32_t)strlen(token) },
			  now_ms, ret);
}

static struct grants *grants_for(struct fixture *f, const char *payload)
{
	struct claims claims;

	expect(judge_at(f, payload, NOW_MS, &claims), TOKEN_good);
	return claims.grants;
}

static void a_copy_serves_again_and_again_and_is_nobodys_to_change(void **state)
{
	struct fixture f;
	struct auth *another;

	(void)state;
	start(&f, "*");
	assert_int_equal(auth_new(&f.settings, f.fd, &another, NULL), 0);
	auth_free(another);
	assert_true(pwrite(f.fd, "x", 1, 0) < 0 && errno == EPERM);
	assert_true(ftruncate(f.fd, 0) < 0 && errno == EPERM);
	stop(&f);
}

static void the_settings_say_how_far_clocks_may_differ_and_how_long_a_token_is(
	void **state)
{
	struct claims claims;
	struct fixture f;

	(void)state;
	start(&f, "*");
	expect(judge_at(&f, PAYLOAD, NOW_MS + 89999, &claims), TOKEN_good);
	assert_int_equal(claims.ends_ms, NOW_MS + 90000);
	expect(judge_at(&f, PAYLOAD, NOW_MS + 90000, &claims), TOKEN_expired);
	expect(auth_judge(f.auth, (struct text){ "", 0 }, NOW_MS, &claims),
	       TOKEN_missing);
	stop(&f);
}

static void who_may_do_the_same_shares_one_object(void **state)
{
	struct fixture f;
	struct grants *a, *b, *c;

	(void)state;
	start(&f, "*");
	a = grants_for(&f, ROOMS("team.*"));
	b = grants_for(&f, ROOMS("team.*"));
	c = grants_for(&f, ROOMS("other"));
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	grants_unref(a);
	stop(&f);
	/* They outlive whoever made them. */
	assert_true(grants_allow(b, GRANT_join, (struct text){ "team.a", 6 }));
	grants_unref(b);
	grants_unref(c);
}

static void a_token_that_names_no_rooms_gets_those_of_the_settings(void **state)
{
	struct fixture f;
	struct grants *grants;

	(void)state;
	start(&f, "*");
	assert_null(grants_for(&f, PAYLOAD));
	stop(&f);
	start(&f, "none");
	grants = grants_for(&f, PAYLOAD);
	assert_false(grants_allow(grants, GRANT_join, (struct text){ "a", 1 }));
	grants_unref(grants);
	stop(&f);
}

static void open_mode_has_no_keys(void **state)
{
	struct settings settings;
	struct auth *auth;
	int fd;

	(void)state;
	settings_defaults(&settings);
	strcpy(settings.jwt_key_file, "/nonexistent");
	assert_int_equal(auth_read_keys(&settings, &fd, NULL), 0);
	assert_int_equal(auth_new(&settings, fd, &auth, NULL), 0);
	assert_null(auth);
	auth_free(auth);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_serves_again_and_again_and_is_nobodys_to_change),
		cmocka_unit_test(
			the_settings_say_how_far_clocks_may_differ_and_how_long_a_token_is),
		cmocka_unit_test(who_may_do_the_same_shares_one_object),
		cmocka_unit_test(a_token_that_names_no_rooms_gets_those_of_the_settings),
		cmocka_unit_test(open_mode_has_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
