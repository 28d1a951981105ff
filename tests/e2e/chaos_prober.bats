# No verdict of the ordeal is vacuous: its prober finds a health that lies, its audit counts
# that drift, and its samples what leaks.

load lib
setup() {
	setup_daemons
	PROBER=$ROOT/build/$MODE/tests/chaos/prober
}
teardown() { teardown_daemons; }

lie() { # lie HOW: a health that does
	HEALTHD_BIN=$ROOT/tests/chaos/liar
	start_healthd LIE="$1"
}
probe() { # probe LINE...: told the prober at once; runs for as long as $LASTS seconds
	{
		printf '%s\n' "$@"
		read -rt "${LASTS:-1}" <> <(:) || true
	} | "$PROBER" --tolerance 1 --rate 300 "${HEALTH##*:}"
}
found() { # found KIND: the prober found this kind of wrong answer, and no other
	echo "$output"
	[ "$status" = 1 ]
	tail -n 1 <<<"$output" | grep -qE "$1=[1-9]"
	[ "$(tail -n 1 <<<"$output" | grep -oE '(claimed_well|claimed_ill|nonsense|counts|unanswered)=[1-9]' | wc -l)" = 1 ]
}
now() { echo "${EPOCHREALTIME/[.,]/}"; }

@test "the prober: nothing is wrong with a healthd that tells the truth" {
	start_both
	run probe
	echo "$output"
	[ "$status" = 0 ]
	kill -STOP "$(worker_pid 1)"
	LASTS=2 run probe "begin a stop_worker $(now)"
	echo "$output"
	[ "$status" = 0 ]
}

@test "the prober: a healthd that says ok of a worker that hangs is found" {
	lie ok
	LASTS=2 run probe "begin a stop_worker $(now)"
	found claimed_well
}

@test "the prober: a healthd that cries wolf is found" {
	lie error
	run probe
	found claimed_ill
	# And one that goes on with it once all is mended.
	LASTS=4.5 run probe "begin a kill_gateway $(($(now) - 1000000))" "end a $(now)"
	found claimed_ill
}

@test "the prober: counts that cannot be are found" {
	lie backwards
	run probe
	found counts
	lie ok
	run probe "most 2"
	found counts
	lie huge
	run probe
	found nonsense
}

@test "the prober: a probe without an answer is found" {
	lie silent
	LASTS=6 run probe
	found unanswered
	kill -KILL "$HEALTHD"
	run probe
	found unanswered
}

@test "the ordeal: a healthd that takes the dead for living is found" {
	[ "$MODE" = release ] || skip "a sanitizer's library must be loaded first"
	# To its question who holds a lock, the kernel's answer is always: somebody.
	cc -shared -fPIC -O1 -o "$DIR/undead.so" -xc - -ldl <<-'CODE'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <fcntl.h>
		#include <stdarg.h>
		static int lie(int command, struct flock *lock)
		{
			if (command == F_GETLK) {
				lock->l_type = F_WRLCK;
				lock->l_pid = 1;
			}
			return 0;
		}
		static int call(const char *name, int fd, int command, void *argument)
		{
			int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
			int rc = real(fd, command, argument);
			return rc < 0 ? rc : command == F_GETLK ? lie(command, argument) : rc;
		}
		int fcntl(int fd, int command, ...)
		{
			va_list args;
			va_start(args, command);
			void *argument = va_arg(args, void *);
			va_end(args);
			return call("fcntl", fd, command, argument);
		}
		int fcntl64(int fd, int command, ...)
		{
			va_list args;
			va_start(args, command);
			void *argument = va_arg(args, void *);
			va_end(args);
			return call("fcntl64", fd, command, argument);
		}
	CODE
	printf '#!/bin/sh\nLD_PRELOAD=%s exec %s\n' "$DIR/undead.so" "$BIN/parley-healthd" >"$DIR/undead"
	chmod +x "$DIR/undead"
	HEALTHD_BIN=$DIR/undead TOLERANCE=1 run "$ROOT/tests/chaos/ordeal" --seconds 5 --calm 60 \
		--seed 1 --clients 20 --faults "kill_gateway" --gap 4000
	echo "$output"
	[ "$status" = 1 ]
	grep -E 'claims to be well .*BROKEN' <<<"$output"
	grep -E 'counts can be .*BROKEN' <<<"$output"
}

@test "the ordeal: counts that drift are found" {
	HEALTHD_BIN=$ROOT/tests/chaos/liar TOLERANCE=1 run "$ROOT/tests/chaos/ordeal" --seconds 1 \
		--calm 60 --seed 1 --clients 20 --faults "garbage"
	echo "$output"
	[ "$status" = 1 ]
	grep -E 'drift 0 .*BROKEN' <<<"$output"
}

samples() { # samples DESCRIPTORS KIB: of a worker that gains so much a minute, and of a flat one
	local i
	for i in {1..12}; do
		echo "$((i * 60)) worker 7 $((20 + i * $1)) $((4000 + i * $2 + i % 3 * 100)) 9000 9000"
		echo "$((i * 60)) healthd 8 $((9 + i % 2)) $((700 + i % 4 * 30)) 2000 2000"
	done >"$DIR/samples"
}

@test "the ordeal: descriptors and memory that leak are found, and their slope is right" {
	samples 0 0
	"$ROOT/tests/chaos/slopes" "$DIR/samples"
	samples 1 0
	run "$ROOT/tests/chaos/slopes" "$DIR/samples"
	echo "$output"
	[ "$status" = 1 ]
	grep -q 'leaks: descriptors=1 memory=0' <<<"$output"
	samples 0 1000
	run "$ROOT/tests/chaos/slopes" "$DIR/samples"
	echo "$output"
	[ "$status" = 1 ]
	grep -q 'leaks: descriptors=0 memory=1' <<<"$output"
	grep -qE 'slope: worker .*anonymous_kib_per_minute=(99|100)[0-9]' <<<"$output"
}
