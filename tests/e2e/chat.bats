# Clients of different workers talk to each other, in one order.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "chat across workers: everyone sees the same messages in the same order" {
	start_both PARLEY_WORKERS=2
	local i outs=() ins=()
	for i in 1 2 3 4 5 6; do
		client "u$i"
		outs+=("$OUT") ins+=("$IN")
		echo '{"op":"join","room":"lobby","ref":1}' >&"$IN"
		await 1000 grep -q '"op":"joined"' "$OUT"
	done
	websocket '.workers | all(.active > 0)' || skip "the kernel gave all clients to one worker"
	for i in 0 1 2 3 4 5; do
		echo "{\"op\":\"send\",\"room\":\"lobby\",\"id\":\"m$i\",\"body\":{\"n\":$i},\"ref\":2}" >&"${ins[$i]}"
	done
	for i in 0 1 2 3 4 5; do
		await 2000 grep -q '"seq":6,' "${outs[$i]}"
		grep '"op":"message"' "${outs[$i]}" >"$DIR/order-$i"
		cmp "$DIR/order-0" "$DIR/order-$i"
		grep -q '"op":"sent","ref":2' "${outs[$i]}"
	done
	[ "$(jq -c .seq "$DIR/order-0" | tr '\n' ' ')" = '1 2 3 4 5 6 ' ]
}

@test "the sequencer killed: sends wait for its successor, none is lost or doubled" {
	start_both PARLEY_WORKERS=2
	client ann
	local i
	echo '{"op":"join","room":"r"}' >&"$IN"
	for i in $(seq 200); do
		[ "$i" != 100 ] || kill -KILL "$(body '/health/websocket?verbose' | jq .sequencer.pid)"
		echo "{\"op\":\"send\",\"room\":\"r\",\"id\":\"m$i\",\"body\":$i}" >&"$IN"
	done
	await 3000 grep -q '"seq":200,' "$OUT"
	[ "$(grep -c '"op":"sent"' "$OUT")" = 200 ]
	[ "$(grep '"op":"message"' "$OUT" | jq -c '.body' | tr '\n' ' ')" = "$(seq 200 | tr '\n' ' ')" ]
	[ "$(grep '"op":"message"' "$OUT" | jq -c '.seq' | tr '\n' ' ')" = "$(seq 200 | tr '\n' ' ')" ]
	await 1000 websocket '.status == "ok" and .sequencer.restarts == 1'
}

say() { # say ID BODY, to room r by the client that was made last
	echo "{\"op\":\"send\",\"room\":\"r\",\"id\":\"$1\",\"body\":$2,\"ref\":\"$1\"}" >&"$IN"
}

sent_as() { # sent_as ID SEQ
	await 3000 grep -q "\"op\":\"sent\",\"ref\":\"$1\"" "$OUT"
	[ "$(grep "\"op\":\"sent\",\"ref\":\"$1\"" "$OUT" | jq .seq)" = "$2" ]
}

@test "the whole gateway restarted: rooms go on where they were, and repeats are known" {
	start_gateway
	client ann
	local i
	echo '{"op":"join","room":"r"}' >&"$IN"
	for i in 1 2 3; do
		say "m$i" "$i"
		sent_as "m$i" "$i"
	done
	kill -TERM "$GATEWAY"
	await 10000 gone "$GATEWAY"

	start_gateway
	client ann
	echo '{"op":"join","room":"r"}' >&"$IN"
	await 3000 grep -q '"op":"joined"' "$OUT"
	[ "$(grep '"op":"joined"' "$OUT" | jq .head)" = 3 ]
	say m2 2
	sent_as m2 2
	say m4 4
	sent_as m4 4
	[ "$(grep -c '"op":"message"' "$OUT")" = 1 ]
}
