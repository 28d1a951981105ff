# Floods of every kind are answered by limits, with errors or the right close code; others
# are unharmed, and memory stays bounded.

load lib

setup() {
	setup_daemons
	use_store sqlite
	# Of what one may say, as it is unless somebody sets it.
	unset "${!PARLEY_RATE_@}"
	start_both
	client witness
	WITNESS=$OUT WITNESS_IN=$IN
	say '{"op":"join","room":"quiet"}'
	await 2000 grep -q '"op":"joined"' "$OUT"
	BEFORE=$(workers_kib)
}

teardown() { teardown_daemons; }

workers_kib() {
	awk '/^VmRSS:/ { n += $2 } END { print n }' \
		$(pgrep -P "$GATEWAY" | sed 's|.*|/proc/&/status|')
}

# The witness is answered soon, whatever goes on, and nothing has grown or died.
unharmed() {
	local i
	for i in 1 2 3; do
		echo "{\"op\":\"send\",\"room\":\"quiet\",\"id\":\"w$RANDOM-$i\",\"body\":1,\"ref\":\"w$i\"}" >&"$WITNESS_IN"
		await 1000 grep -q "\"op\":\"sent\",\"ref\":\"w$i\"" "$WITNESS"
	done
	[ "$(workers_kib)" -lt $((BEFORE + 65536)) ]
	await 2000 websocket '.status == "ok" and .restarts == 0'
}

@test "flood: as many messages a second as one client can send" {
	local lines=$DIR/flood.in
	{
		echo '{"op":"join","room":"flooded"}'
		seq -f '{"op":"send","room":"flooded","id":"f%.0f","body":"xxxxxxxxxxxxxxxx"}' 300000
	} >"$lines"
	"$TOOLS/wsclient" "ws://127.0.0.1:$PORT/chat?user=flooder" <"$lines" >"$DIR/flood.out" 2>&1 &
	local flooder=$!
	PIDS+=("$flooder")
	# One that has no time to read its answers is closed.
	await 5000 grep -qE '"op":"sent"|^#close 4000' "$DIR/flood.out"
	unharmed
	await 60000 gone "$flooder"
	unharmed
	# What was taken is numbered without a hole.
	local n
	n=$(grep -c '"op":"sent"' "$DIR/flood.out" || true)
	[ "$(jq -R 'fromjson? | select(.op == "sent") | .seq' "$DIR/flood.out" | sort -n | uniq | wc -l)" = "$n" ]
}

@test "flood: a message of 1 MB is closed with 1009" {
	client big
	{
		printf '{"op":"send","room":"quiet","id":"big","body":"'
		head -c 1000000 /dev/zero | tr '\0' x
		echo '"}'
	} >&"$IN"
	await 5000 grep -q '^#close 1009' "$OUT"
	unharmed
}

@test "flood: 10,000 joins are answered with errors beyond the limit" {
	local i
	client joiner
	# It reads its answers: who does not is closed as a slow reader.
	for i in $(seq 500 500 10000); do
		seq -f '{"op":"join","room":"j%.0f"}' $((i - 499)) "$i" >&"$IN"
		say "{\"op\":\"ping\",\"ref\":\"p$i\"}" "/await \"ref\":\"p$i\" 20000"
	done
	await 20000 grep -q '"ref":"p10000"' "$OUT"
	await 5000 answered 10000
	[ "$(grep -c '"op":"joined"' "$OUT")" -le 64 ]
	unharmed
}

answered() { # answered N: so many joins, one way or the other
	[ "$(grep -cE '"op":"joined"|"op":"error"' "$OUT")" = "$1" ]
}

@test "flood: JSON nested too deeply, not JSON, not UTF-8" {
	client deep
	printf '%s\n' "$(printf '[%.0s' $(seq 20000))" >&"$IN"
	await 3000 grep -qE '"code":"(too_deep|bad_json)"' "$OUT"
	say '{"op":"send","room":"quiet","id":"d","body":'"$(printf '[%.0s' $(seq 40))$(printf ']%.0s' $(seq 40))"'}'
	await 3000 grep -q '"code":"too_deep"' "$OUT"
	say '{"op":' && await 3000 grep -q '"code":"bad_json"' "$OUT"
	say '/raw 81825ac30f96a53d' # FF FE, masked
	await 3000 grep -q '^#close 1007' "$OUT"
	unharmed
}

@test "flood: bad frames and a compressed one that nobody agreed on" {
	local raw
	# Reserved opcode, RSV1 (compressed), unmasked text, fragmented ping, Close of one byte.
	for raw in '83805ac30f96' 'c1815ac30f963b' '810161' '09805ac30f96' '88815ac30f9659'; do
		client "bad$CLIENTS"
		say "/raw $raw"
		await 3000 grep -q '^#close 1002' "$OUT"
	done
	unharmed
}
