# jwt: nobody gets in without a good token, and who does not is not told why.

load lib
load auth
setup() { setup_daemons; }
teardown() { teardown_daemons; }

good='{"sub":"ann","exp":"+60","aud":"chat","iss":"https://id"}'

refusals() { # refusals REASON NUMBER
	[ "$(body /metrics | sed -n "s/^parley_tokens_refused_total{reason=\"$1\"} //p")" = "$2" ]
}

@test "every bad token is refused with 401 and the same words; only the counters tell" {
	start_jwt PARLEY_JWT_AUDIENCE=chat PARLEY_JWT_ISSUER=https://id
	local none claims bad=(
		''
		'nonsense'
		"$(token "${good/+60/-1}")"
		"$(token "${good/chat/mail}")"
		"$(token "${good/id/other}")"
		"$(token "${good/ann/}")"
		"$(token "${good%\}},\"nbf\":\"+60\"}")"
		"$(token "$good" '{"alg":"none"}')"
		"$(token "$good" '{"alg":"RS256"}')"
		"$(token "$good" '{"crit":["x"]}')"
		"$(token "$good")A"
	)
	secret "$DIR/key" # of somebody else
	bad+=("$(token "$good")")
	handshake '' >"$DIR/first"
	grep -qi '^WWW-Authenticate: Bearer$' "$DIR/first"
	for none in "${bad[@]}"; do
		handshake '' "Authorization: Bearer $none" >"$DIR/answer"
		diff "$DIR/first" "$DIR/answer"
		handshake "?access_token=$none" >"$DIR/answer"
		diff "$DIR/first" "$DIR/answer"
	done
	await 1000 refusals missing 3
	for claims in malformed=4 key=4 signature=4 expired=2 early=2 audience=2 issuer=2 claims=2; do
		await 1000 refusals "${claims%=*}" "${claims#*=}"
	done
	websocket '.connections.total == 0'
}

@test "a token gets in by header, by subprotocol or by query, and only one of them" {
	start_jwt
	local t
	t=$(token '{"sub":"ann","exp":"+60"}')
	[ "$(status '' "Authorization: Bearer $t")" = 101 ]
	[ "$(status "?access_token=$t&user=eve")" = 101 ]
	handshake '' "Sec-WebSocket-Protocol: parley.v1, bearer.$t" >"$DIR/answer"
	grep -q '101 Switching' "$DIR/answer"
	[ "$(grep -ci '^Sec-WebSocket-Protocol: parley.v1$' "$DIR/answer")" = 1 ]
	[ "$(status "?access_token=$t" "Authorization: Bearer $t")" = 400 ]
	bearer "$t"
	grep -q '"user":"ann"' "$OUT"
}

@test "each algorithm: a gateway with the public keys takes what openssl signs" {
	openssl genrsa -out "$DIR/RS256" 2048 2>/dev/null
	openssl ecparam -name prime256v1 -genkey -noout -out "$DIR/ES256"
	openssl genpkey -algorithm ed25519 -out "$DIR/EdDSA"
	local alg claims='{"sub":"ann","exp":"+60"}'
	for alg in RS256 ES256 EdDSA; do
		openssl pkey -in "$DIR/$alg" -pubout >>"$DIR/key"
	done
	start_jwt
	for alg in RS256 ES256 EdDSA; do
		bearer "$("$PYTHON" "$ROOT/tests/e2e/make_token.py" "$alg:$DIR/$alg" "$claims")"
	done
	# Its name since RFC 9864.
	bearer "$("$PYTHON" "$ROOT/tests/e2e/make_token.py" "EdDSA:$DIR/EdDSA" "$claims" '{"alg":"Ed25519"}')"
	# The text of the public key as a secret: key confusion.
	openssl pkey -in "$DIR/RS256" -pubout | base64 -w0 | sed 's/^/HS256:/' >"$DIR/confused"
	[ "$(status '' "Authorization: Bearer $("$PYTHON" "$ROOT/tests/e2e/make_token.py" "HS256:$DIR/confused" "$claims")")" = 401 ]
	[ "$(status '' "Authorization: Bearer $("$PYTHON" "$ROOT/tests/e2e/make_token.py" "HS256:$DIR/confused" "$claims" '{"alg":"RS256"}')")" = 401 ]
}
