# What is told of a process that died: how and in the middle of what, which links were lost
# with it, and how many of them came back whole.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

# members N: N clients in a room, which come again and resume when their link is lost.
members() {
	mkfifo "$DIR/members.in"
	"$TOOLS/load" --room r --reconnect idle "$1" "127.0.0.1:$PORT" \
		<>"$DIR/members.in" >"$DIR/members.log" 2>&1 &
	PIDS+=($!)
	await 10000 websocket ".connections.active == $1 and (.deaths | length) == 0"
	await 5000 health /health/ready '.status == "ok"'
}

all_back() { # all_back WHICH LINKS: of the last death but WHICH
	websocket ".deaths[$1] | .links == $2 and .back == $2 and .whole == $2 and .trimmed == 0"
}

@test "worker killed: its lost links are counted right, and all come back whole" {
	start_both PARLEY_WORKERS=2
	members 60
	local lost victim
	await 5000 in_rooms 60
	lost=$(served_by 1) victim=$(worker_pid 1)
	kill -KILL "$victim"
	await 5000 all_back 0 "$lost"
	websocket ".deaths[0] | .seat == 1 and .pid == $victim and .role == \"worker\" and
		.reason == \"killed\" and .signal == 9 and .phase == \"polling\" and .members == $lost and
		(.events | length) > 0 and .events[-1].kind == \"opened\""
	await 1000 grep -q "links came back seat=1 .* lost=$lost back=$lost whole=$lost trimmed=0" "$DIR/gateway.log"
	grep -q "worker died seat=1 .* pid=$victim reason=killed signal=9 .* links=$lost " "$DIR/gateway.log"
	"$BIN/parley-stat" | grep -q "^worker 1 died [0-9]* s ago (killed, signal 9, in polling): $lost of $lost links are back, $lost whole$"

	# What was counted by one who is gone too stays counted.
	lost=$(served_by 0)
	await 2000 websocket '.workers | all(.state == "serving")'
	kill -KILL "$(worker_pid 0)"
	await 5000 all_back 0 "$lost"
	await 2000 websocket '.deaths | length == 2 and all(.back == .links and .whole == .links)'

	# An upgrade keeps the records, and who leaves for it is no death.
	local before
	before=$(worker_pid 0)
	await 2000 websocket '.workers | all(.state == "serving")'
	kill -USR2 "$GATEWAY"
	await 10000 rolled "$before"
	websocket '.deaths | length == 2 and all(.back == .links and .whole == .links)'
}

in_rooms() { # in_rooms N: so many memberships, over both workers, and each has some
	local a b
	a=$(metric 'room_members{worker="0"}') b=$(metric 'room_members{worker="1"}')
	[ "$a" -gt 0 ] && [ "$b" -gt 0 ] && [ $((a + b)) = "$1" ]
}

rolled() { # rolled PID: worker 0 is another one, and no roll goes on
	[ "$(worker_pid 0)" != "$1" ] && health /health '.rolling == null'
}

@test "worker crashed by SIGSEGV: signal and phase are told" {
	start_both PARLEY_WORKERS=1
	kill -SEGV "$(worker_pid 0)"
	await 3000 websocket '.deaths[0] | .reason == "crashed" and .signal == 11 and
		.phase == "polling" and .links == 0 and .livedMs >= 0 and .agoSeconds < 60'
	"$BIN/parley-stat" | grep -q '(crashed, signal 11, in polling): no link was lost$'
	"$BIN/parley-stat" --json | jq -e '.deaths[0].signal == 11 and .endings[0].crashed == 1'
}

gone_before() { # gone_before SEQ: what came earlier is trimmed
	local ref=try$((++TRIES))
	say "{\"op\":\"join\",\"room\":\"r\",\"since\":0,\"ref\":\"$ref\"}"
	await 2000 grep -q "\"op\":\"joined\",\"ref\":\"$ref\"" "$OUT" || return
	say '{"op":"leave","room":"r"}'
	grep "\"ref\":\"$ref\"" "$OUT" | jq -e ".first == $1"
}

@test "a link that comes back to a trimmed room is not whole, and a made-up session is nobody's" {
	start_both PARLEY_WORKERS=1 PARLEY_RETAIN_MESSAGES=20
	local session i TRIES=0 worker
	client ann
	session=$(grep -o '"session":"[^"]*' "$OUT" | cut -d'"' -f4)
	say '{"op":"join","room":"r"}'
	for i in $(seq 30); do
		say "{\"op\":\"send\",\"room\":\"r\",\"id\":\"m$i\",\"body\":$i}"
	done
	await 5000 grep -q '"seq":30,' "$OUT"
	say '{"op":"leave","room":"r"}'
	await 10000 gone_before 11
	worker=$(worker_pid 0)
	kill -KILL "$worker"
	await 3000 websocket ".deaths[0].links == 1 and .workers[0].state == \"serving\" and .workers[0].pid != $worker"
	client "eve&was=${session%?}x"
	client "eve&was=%00$session"
	client "ann&was=$session"
	await 1000 websocket '.deaths[0] | .back == 1 and .whole == 0 and .trimmed == 0'
	say '{"op":"join","room":"r","since":15,"ref":1}' '{"op":"join","room":"other","since":0,"ref":2}'
	await 2000 grep -q '"op":"joined","ref":2' "$OUT"
	await 1000 websocket '.deaths[0] | .back == 1 and .whole == 1'
	# A word that was too good is taken back.
	say '{"op":"leave","room":"r"}' '{"op":"join","room":"r","since":5,"ref":3}'
	await 2000 grep -q '"op":"joined","ref":3' "$OUT"
	await 1000 websocket '.deaths[0] | .back == 1 and .whole == 0 and .trimmed == 1'
}
