# Backends post, read, list and drain over HTTP, as gateway/api/openapi.json says.

load lib
load api
setup() {
	setup_daemons
	USED=$BATS_FILE_TMPDIR/used
}
teardown() { teardown_daemons; }

on_each_store() { # on_each_store STORE: every operation, as it should be
	use_store "$1"
	start_api
	client ann
	say '{"op":"join","room":"a/b ü"}'
	await 3000 grep -q '"op":"joined"' "$OUT"

	post a%2Fb%20%C3%BC x1 '{"n":[1,2.50]}'
	is 201 '.room == "a/b ü" and .seq == 1 and .id == "x1" and .at > 0'
	local at
	at=$(jq .at <<<"$BODY")
	post a%2Fb%20%C3%BC x1 '"other words"'
	is 200 ".seq == 1 and .at == $at"
	api POST /api/rooms/a%2Fb%20%C3%BC/messages -d '{"id":"x1","from":"bob","body":"as bob"}'
	is 201 '.seq == 2'
	# A member sees it live, as it was written.
	await 3000 grep -q '"seq":1,"id":"x1","from":"shop",.*"body":{"n":\[1,2.50\]}' "$OUT"
	await 3000 grep -q '"seq":2,"id":"x1","from":"bob",.*"body":"as bob"' "$OUT"
	say '{"op":"send","room":"a/b ü","id":"x2","body":null}'
	await 3000 grep -q '"op":"sent"' "$OUT"

	api GET /api/rooms/a%2Fb%20%C3%BC/messages
	is 200 '.head == 3 and .first == 1 and .more == false and ([.messages[].from] == ["shop", "bob", "ann"])'
	api GET '/api/rooms/a%2Fb%20%C3%BC/messages?limit=1'
	is 200 '[.messages[].seq] == [3] and .more'
	api GET '/api/rooms/a%2Fb%20%C3%BC/messages?after=0&limit=2'
	is 200 '[.messages[].seq] == [1, 2] and .more'
	api GET '/api/rooms/a%2Fb%20%C3%BC/messages?after=1&before=3'
	is 200 '[.messages[].seq] == [2] and .more == false'
	api GET /api/rooms/nobody/messages
	is 200 '.head == 0 and .first == 1 and .messages == []'
	curl -sSI -m 5 -H "Authorization: Bearer $KEY" "http://127.0.0.1:$PORT/api/rooms/nobody/messages" >"$DIR/head"
	grep -q '^HTTP/1.1 200' "$DIR/head"
}

@test "post, repeat, read and be seen, on SQLite" { on_each_store sqlite; }
@test "post, repeat, read and be seen, on PostgreSQL" { on_each_store postgresql; }

@test "members of all workers are listed, be they asked where nobody is" {
	start_api PARLEY_WORKERS=3
	local seat i
	for seat in 0 1; do
		client_on $seat "user$seat"
		say '{"op":"join","room":"r"}'
		await 3000 grep -q '"op":"joined"' "$OUT"
	done
	client_on 0 user1 # the same user, twice
	say '{"op":"join","room":"r"}'
	await 3000 grep -q '"op":"joined"' "$OUT"
	for i in 1 2 3 4 5 6; do # whichever worker it is, from the first time on
		api GET /api/rooms/r/members
		is 200 '(.members | sort) == ["user0", "user1"] and .total == 2 and .complete'
	done
	api GET /api/rooms/empty/members
	is 200 '.members == [] and .total == 0 and .complete'
}

@test "what is wrong is said, and named" {
	start_api PARLEY_MESSAGE_MAX=1000
	local wrong
	for wrong in '{"body":1}=id' '{"id":"","body":1}=id' '{"id":7,"body":1}=id' '{"id":"x"}=body' \
		'{"id":"x","body":1,"from":""}=from' '{"id":"x","body":1,"from":["me"]}=from' '{=JSON' '[]=object' \
		"{\"id\":\"$(printf '%065d' 0)\",\"body\":1}=id" "{\"id\":\"x\",\"body\":$(printf '%040d' 0 | tr 0 '[')}=32"; do
		api POST /api/rooms/r/messages -d "${wrong%=*}"
		is 400 ".status == 400 and (.error | test(\"${wrong##*=}\"))"
	done
	post r%00 x1; is 400 '.error | test("room")'
	post r%ff x1; is 400 '.error | test("room")'
	post "$(printf '%065d' 0)" x1; is 400 '.error | test("room")'
	api GET /api/rooms/%0a/members; is 400 '.error | test("room")'
	for wrong in limit=0 limit=201 limit=x after=-1 before=0 after=9223372036854775808; do
		api GET "/api/rooms/r/messages?$wrong"
		is 400 ".error | test(\"${wrong%=*}\")"
	done
	post r x1 "\"$(printf '%01000d' 0)\""; is 413
	api GET /api/rooms/r/messages; is 200 '.head == 0'
}

@test "without a key nothing is told, and what there is not is told to who has one" {
	start_api
	local AUTH
	for AUTH in '' "Bearer $OTHER" "Basic $KEY" 'Bearer' "$KEY" "Bearer $KEY$KEY"; do
		post r x1
		is 401 '.error == "a valid key is needed"'
		grep -qi '^WWW-Authenticate: Bearer' "$HEAD"
	done
	api GET /api/rooms/r/messages; is 401
	api GET "/api/rooms/r/messages?access_token=$KEY"; is 401
	api GET /api/rooms/r/members; is 401
	api POST /api/drain; is 401
	USED=/dev/null
	api GET /api/nothing; is 401
	api DELETE /api/drain; is 401
	AUTH="bearer $KEY"
	api GET /api/nothing; is 404
	api GET /api/rooms//messages; is 400
	api DELETE /api/rooms/r/messages; is 405; grep -qi '^Allow: GET, HEAD, POST' "$HEAD"
	api POST /api/rooms/r/members; is 405; grep -qi '^Allow: GET, HEAD' "$HEAD"
	api GET /api/drain; is 405; grep -qi '^Allow: POST' "$HEAD"
	! grep -qi '^Access-Control' "$HEAD" || false
}

@test "while the store is away posts and reads are answered 503, and when they may come again" {
	start_api PARLEY_STORE=postgresql://me@127.0.0.1:1/none PARLEY_STORE_HOLD_MS=200
	post r x1; is 503
	grep -Eqi '^Retry-After: [1-9]' "$HEAD"
	api GET /api/rooms/r/messages; is 503
	grep -Eqi '^Retry-After: [1-9]' "$HEAD"
}

@test "who is asked for too often at a time is told to come again" {
	start_api PARLEY_WORKERS=2
	local i urls=() status
	for i in $(seq 200); do urls+=(-o /dev/null "http://127.0.0.1:$PORT/api/rooms/r/members"); done
	kill -STOP "$(pgrep -P "$GATEWAY" parley-seq)" # so that no worker hears of the others
	curl -sS -Z --parallel-immediate --parallel-max 200 -m 20 -H "Authorization: Bearer $KEY" \
		-w '%{http_code}\n' "${urls[@]}" | sort | uniq -c | tee "$DIR/statuses.log"
	kill -CONT "$(pgrep -P "$GATEWAY" parley-seq)"
	grep -q ' 200$' "$DIR/statuses.log"
	grep -q ' 503$' "$DIR/statuses.log"
	note GET /api/rooms/r/members 503 '{"status":503,"error":""}'
}

@test "drain, once however often it is asked for" {
	start_api PARLEY_DRAIN_ANNOUNCE_MS=3000
	client ann
	api POST /api/drain
	is 202 '.draining'
	await 500 code_is /health/ready 503
	websocket '.server == "draining" and .connections.active == 1'
	api POST /api/drain
	is 202 '.draining'
	websocket '.server == "draining" and .connections.active == 1' # a second TERM would hurry it
	await 5000 grep -q '^#close 1001' "$OUT"
	await 5000 gone "$GATEWAY"
	wait "$GATEWAY"
}

@test "an orphan has nobody to tell" {
	start_api
	clients 100 # whoever drains has some left for a second
	talk 'GET /api/nothing HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" ''
	local line
	read -r line <&"$TALK"
	[[ $line == *404* ]]
	kill -KILL "$GATEWAY"
	await 1000 gone "$GATEWAY"
	printf '%s\r\n' 'POST /api/drain HTTP/1.1' 'Host: h' "Authorization: Bearer $KEY" '' >&"$TALK"
	timeout 10 cat <&"$TALK" >"$DIR/talk.log"
	grep -q '^HTTP/1.1 503' "$DIR/talk.log"
	note POST /api/drain 503 "$(grep '^{"status":503' "$DIR/talk.log")"
}

@test "the description has what was used above, and nothing else" {
	local used=$BATS_FILE_TMPDIR/used
	jq -r '"\(.path) \(.method) \(.status)"' "$used" | sort -u >"$DIR/used"
	jq -r '.paths | to_entries[] | .key as $path | .value | to_entries[] | select(.key != "parameters") |
		.key as $method | .value.responses | keys[] | "\($path) \($method) \(.)"' "$DESCRIPTION" | sort -u >"$DIR/described"
	diff "$DIR/described" "$DIR/used"
	# Each answer has the members that it is said to have.
	jq -n --slurpfile d "$DESCRIPTION" 'def get($r): $d[0].components[$r | split("/")[2]][$r | split("/")[3]];
		def deref: if has("$ref") then get(."$ref") else . end;
		[inputs | . as $u | $d[0].paths[.path][.method].responses[.status] | deref |
			.content["application/json"].schema | deref |
			select((.required | sort) != ($u.body | keys) or (.properties | keys) != ($u.body | keys)) | $u]' "$used" >"$DIR/wrong.log"
	jq -e 'length == 0' "$DIR/wrong.log"
}
