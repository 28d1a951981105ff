# Settings: flag over environment over file; what is wrong is one sentence and exit 78.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

refused() { # refused WORD COMMAND...: exit 78, one line that names WORD
	local word=$1
	shift
	run "$@"
	echo "$output"
	[ "$status" = 78 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"$word"* ]]
}

@test "an unknown flag, variable or line in the file stops each program with exit 78" {
	echo 'PARLEY_MESAGE_MAX=5' >"$DIR/conf"
	local program
	for program in gateway healthd stat probe; do
		refused --nonsense "$BIN/parley-$program" --nonsense=1
		refused PARLEY_NONSENSE env PARLEY_NONSENSE=1 "$BIN/parley-$program"
		refused PARLEY_MESAGE_MAX "$BIN/parley-$program" --config "$DIR/conf"
	done
}

@test "a value out of bounds is refused with its bounds" {
	refused 64 "$BIN/parley-gateway" --workers 65
	refused PARLEY_HEALTH_LISTEN "$BIN/parley-healthd" --health-listen nowhere
}

@test "a flag wins over the environment, which wins over the file" {
	printf 'PARLEY_WORKERS=3\nPARLEY_MESSAGE_MAX=1111\nPARLEY_OUTBOX_MAX=2222\n' >"$DIR/conf"
	export PARLEY_WORKERS=4 PARLEY_MESSAGE_MAX=3333
	run "$BIN/parley-gateway" --config "$DIR/conf" --workers 5 --print
	[ "$status" = 0 ]
	grep -qx 'PARLEY_WORKERS=5' <<<"$output"
	grep -qx 'PARLEY_MESSAGE_MAX=3333' <<<"$output"
	grep -qx 'PARLEY_OUTBOX_MAX=2222' <<<"$output"
	"$BIN/parley-gateway" --config "$DIR/conf" --check
}

@test "open mode refuses to listen beyond loopback unless told to" {
	refused PARLEY_OPEN_BEYOND_LOOPBACK "$BIN/parley-gateway" --listen 0.0.0.0:0
}
