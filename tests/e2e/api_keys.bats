# Keys of backends are rotated with HUP, refused when they do not serve, and nowhere to be read.

load lib
load api
setup() { setup_daemons; }
teardown() { teardown_daemons; }

rolled() { [ "$(grep -c 'gateway reloaded' "$DIR/gateway.log")" = "$1" ]; }
with() { # with KEY STATUS
	local AUTH="Bearer $1"
	api GET /api/rooms/r/messages
	is "$2"
}

@test "a key is rotated with HUP" {
	start_api
	with $KEY 200
	with $OTHER 401
	keys "shop:$KEY" "shop:$OTHER"
	with $OTHER 401 # nobody has been told to look yet
	kill -HUP "$GATEWAY"
	await 8000 rolled 1
	with $KEY 200
	with $OTHER 200
	keys "shop:$OTHER"
	kill -HUP "$GATEWAY"
	await 8000 rolled 2
	with $KEY 401
	local AUTH="Bearer $OTHER"
	post r x1
	is 201
	api GET /api/rooms/r/messages
	is 200 '.messages[0].from == "shop"'
}

@test "a bad file on HUP is refused with a sentence; new workers keep the old keys" {
	start_api
	keys "shop:tooshort"
	kill -HUP "$GATEWAY"
	await 2000 grep -q 'reload refused.*PARLEY_API_KEY_FILE.*32' "$DIR/gateway.log"
	kill -KILL "$(worker_pid 0)" "$(worker_pid 1)"
	await 5000 websocket '.status == "ok" and .restarts == 2'
	local i
	for i in 1 2 3 4; do with $KEY 200; done
	! grep -q tooshort "$DIR/gateway.log" || false
}

@test "a key file that does not serve stops the start, and --check says so" {
	export PARLEY_API_KEY_FILE=$DIR/keys
	run "$BIN/parley-gateway" --check
	[ "$status" = 78 ] && [[ $output == *"PARLEY_API_KEY_FILE"*"No such file"* ]]
	keys '# of the shop' "shop:$KEY"
	"$BIN/parley-gateway" --check
	chmod o+r "$DIR/keys"
	run "$BIN/parley-gateway"
	[ "$status" = 78 ] && [ "${#lines[@]}" = 1 ] && [[ $output == *"chmod o-r"* ]]
	keys "$KEY"
	run "$BIN/parley-gateway" --check
	[ "$status" = 78 ] && [[ $output == *"line 1"* ]] && [[ $output != *"$KEY"* ]]
}

@test "without the setting there is no API" {
	start_both
	local AUTH
	for AUTH in '' "Bearer $KEY"; do
		post r x1
		is 404
		api POST /api/drain
		is 404
	done
	websocket '.server == "running"'
}

@test "keys are in no log, no segment, no environment and no command line" {
	local pid hidden
	start_api
	post r x1
	is 201
	with $OTHER 401
	kill -HUP "$GATEWAY"
	await 8000 rolled 1
	with $KEY 200
	hidden() { ! grep -qaE "$KEY|$OTHER" "$@" || { echo "a key is in one of $*" && false; }; }
	hidden "$DIR/gateway.log" "$DIR/healthd.log" "/dev/shm/$SEGMENT"
	for pid in "$GATEWAY" $(pgrep -P "$GATEWAY"); do
		hidden "/proc/$pid/cmdline" "/proc/$pid/environ"
	done
	PARLEY_API_KEY_FILE=$DIR/keys "$BIN/parley-gateway" --print >"$DIR/print"
	hidden "$DIR/print"
}
