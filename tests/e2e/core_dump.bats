# A worker that takes long to die holds its lock and its clients, and nobody waits for it.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

slot_of() { # slot_of PID JQ-CONDITION, on the slot of that process
	"$BIN/parley-stat" --json | jq -e ".slots[] | select(.pid == $1) | $2"
}
replaced() {
	[ "$(worker_pid 0)" != "$victim" ] && websocket '.workers | all(.state == "serving" or .state == "replacing")'
}

@test "long core dump of a worker: aborting, and its replacement already serves" {
	start_both PARLEY_WORKERS=2
	clients 10
	await 1000 websocket '.connections.active == 10'
	local victim mine
	victim=$(worker_pid 0)
	mine=$(body '/health/websocket?verbose' | jq '.workers[] | select(.seat == 0) | .active')
	"$TOOLS/wedge" "$victim" hold >"$DIR/hold.log" 2>&1 &
	local holder=$!
	PIDS+=("$holder")
	await 1000 grep -q held "$DIR/hold.log"
	await 4000 slot_of "$victim" '.state == "aborting"'
	await 1000 replaced
	# Not dead yet: it has its lock, and its clients are going.
	slot_of "$victim" '.alive'
	await 500 websocket ".status == \"ok\" and .closing == $mine and .connections.active == 10 - $mine"
	code_is /health/ready 200
	kill "$holder"
	await 3000 gone "$victim"
	await 500 websocket '.closing == 0'
	websocket '.workers[] | select(.seat == 0) | .lastExit.reason == "hung" and .lastExit.signal == 6'
}
