# What a backend posts is kept once, whatever happens to it, to the gateway and to the store.

load lib
load api
setup() { setup_daemons; }
teardown() { teardown_daemons; }

until_told() { # until_told ROOM ID: posted again until it is answered
	until post "$1" "$2" 2>/dev/null && { [ "$STATUS" = 201 ] || [ "$STATUS" = 200 ]; }; do
		pause
	done
}

kill_both() {
	kill -KILL "$(worker_pid 0)" "$(worker_pid 1)" && echo killed >>"$DIR/kills.log"
}

on_each_store() { # on_each_store STORE: posts while workers are killed
	local i told=()
	use_store "$1"
	start_api
	for i in $(seq 60); do
		((i % 20 != 5)) || kill_both 2>>"$DIR/kills.log" & # at some moment from now
		until_told r "m$i"
		told+=("$(jq .seq <<<"$BODY")")
	done
	await 1000 grep -q killed "$DIR/kills.log"
	await 8000 websocket '.status == "ok" and .restarts >= 2'
	# One after the other, each once: where they stand is what was answered.
	becomes 3000 200 GET '/api/rooms/r/messages?after=0&limit=200'
	jq -e '[.messages[].id] == [range(1; 61) | "m\(.)"]' <<<"$BODY"
	[ "$(jq -c '[.messages[].seq]' <<<"$BODY")" = "[$(IFS=,; echo "${told[*]}")]" ]
}

@test "posts while workers are killed: each is kept once and in order, on SQLite" { on_each_store sqlite; }
@test "posts while workers are killed: each is kept once and in order, on PostgreSQL" { on_each_store postgresql; }

@test "a store that goes away is told, and what is posted again is kept once" {
	start_postgres
	start_api PARLEY_STORE_HOLD_MS=300
	post r x1
	is 201
	kill_postgres
	post r x2
	is 503
	grep -Eqi '^Retry-After: [1-9]' "$HEAD"
	start_postgres
	goes_through() { post r x2 && { [ "$STATUS" = 201 ] || [ "$STATUS" = 200 ]; }; }
	await 10000 goes_through
	post r x2
	is 200 '.seq == 2'
	becomes 3000 200 GET /api/rooms/r/messages
	is 200 '[.messages[].id] == ["x1", "x2"]'
}

@test "posts that are pipelined are answered in order" {
	local i
	start_api
	exec {TALK}<>"/dev/tcp/127.0.0.1/$PORT"
	for i in 1 2 3 4 5; do
		printf '%s\r\n' 'POST /api/rooms/r/messages HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" \
			'Content-Length: 20' ''
		printf '{"id":"p%s","body":1}' "$i"
	done >"$DIR/requests"
	printf '%s\r\n' 'GET /api/rooms/r/messages HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" \
		'Connection: close' '' >>"$DIR/requests"
	cat "$DIR/requests" >&"$TALK"
	timeout 20 cat <&"$TALK" >"$DIR/talk.log"
	[ "$(grep -c '^HTTP/1.1 201' "$DIR/talk.log")" = 5 ]
	grep '^{' "$DIR/talk.log" | jq -se '[.[:5][] | .seq] == [1, 2, 3, 4, 5] and (.[5].messages | length == 5)'
}

@test "a backend that hangs up early harms nobody, and what it posted is kept" {
	local i talks=()
	start_api PARLEY_WORKERS=1 PARLEY_HANG_ACT_MS=60000
	kill -STOP "$(pgrep -P "$GATEWAY" parley-seq)" # so that they wait
	for i in $(seq 20); do
		talk 'POST /api/rooms/r/messages HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" 'Content-Length: 21' '' \
			"{\"id\":\"h$((10 + i))\",\"body\":1}"
		talks+=("$TALK")
	done
	talk 'GET /api/rooms/r/members HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" ''
	all_wait() { [ "$(metric 'sends_pending{worker="0"}')" = 20 ]; }
	await 2000 all_wait
	for i in "${talks[@]}" "$TALK"; do exec {i}>&-; done
	await 2000 websocket '.handshaking == 0'
	kill -CONT "$(pgrep -P "$GATEWAY" parley-seq)"
	all_kept() { api GET '/api/rooms/r/messages?after=0&limit=200' && is 200 '[.messages[].seq] == [range(1; 21)]'; }
	await 5000 all_kept
	websocket '.restarts == 0'
}

@test "what is longer than may be is refused, and no more of it read" {
	start_api PARLEY_HTTP_BODY_MAX=2000 PARLEY_MESSAGE_MAX=1000
	post r x1 "\"$(printf '%0998d' 0)\""
	is 201
	post r x2 "\"$(printf '%0999d' 0)\""
	is 413
	post r x3 "\"$(printf '%03000d' 0)\""
	is 413
	grep -qi '^Connection: close' "$HEAD"
	# In chunks without an end.
	talk 'POST /api/rooms/r/messages HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" 'Transfer-Encoding: chunked' '' \
		5dc "$(printf '%01500d' 0)" 5dc "$(printf '%01500d' 0)"
	timeout 10 cat <&"$TALK" >"$DIR/talk.log"
	grep -q '^HTTP/1.1 413' "$DIR/talk.log"
	becomes 1000 200 GET /api/rooms/r/messages
	is 200 '.head == 1'
}
