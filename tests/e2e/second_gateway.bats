# One gateway per name: the second refuses with one sentence, the first is untouched.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "second gateway on the same name: refuses to start" {
	start_both
	client ann
	run timeout 5 "$BIN/parley-gateway"
	[ "$status" != 0 ] && [ "$status" != 124 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"$SEGMENT"* ]]
	websocket ".status == \"ok\" and .connections.active == 1"
	[ -e "/dev/shm/$SEGMENT" ]
}
