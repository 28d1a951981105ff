# TLS on the gateway's port: who may come, who may not, and certificates that change and end.

load lib
load tls
setup() { setup_daemons; }
teardown() { teardown_daemons; }

refused() { # refused N: so many connections failed at TLS
	[ "$(metric tls_handshakes_failed_total)" -ge "$1" ]
}

said_no_plain() { # the connection behind descriptor $1 ends without a byte of HTTP
	local answer
	answer=$(timeout 5 cat <&"$1" | tr -d '\0')
	[[ $answer != *HTTP* ]]
}

@test "stock clients of two languages chat over wss" {
	certificate good 90
	use_tls good
	start_both PARLEY_WORKERS=2
	"$PYTHON" "$ROOT/tests/e2e/stock_client.py" "$PORT" "$DIR/good.crt" >"$DIR/python.log" 2>&1 &
	local python=$!
	PIDS+=("$python")
	await 5000 grep -q joined "$DIR/python.log"
	NODE_PATH=${NODE_PATH:-/usr/share/nodejs} NODE_EXTRA_CA_CERTS=$DIR/good.crt timeout 20 \
		node "$ROOT/tests/e2e/stock_client.js" "$PORT" wss >"$DIR/node.log" 2>&1
	wait "$python"
	grep -qx 'node heard: hello from python' "$DIR/node.log"
	grep -qx 'python heard: hello from node' "$DIR/python.log"
	grep -qx 'closed 1000' "$DIR/node.log"
	# By old versions nobody comes in, and ALPN is answered.
	run curl -sS -m 5 --tls-max 1.1 --cacert "$DIR/good.crt" "https://localhost:$PORT/"
	[ "$status" != 0 ]
	curl -sS -m 5 -v --tls-max 1.2 --cacert "$DIR/good.crt" -o /dev/null "https://localhost:$PORT/" 2>&1 |
		grep -q 'ALPN.*http/1.1'
	websocket '.status == "ok" and .reasons == []'
	[ "$(metric 'tls_certificate_expiry_seconds{worker="0"}')" = \
		"$(date -d "$(openssl x509 -in "$DIR/good.crt" -noout -enddate | cut -d= -f2)" +%s)" ]
}

@test "the canary speaks TLS too, whoever signed the certificate" {
	certificate good 90
	use_tls good
	start_both PARLEY_WORKERS=2 PARLEY_CANARY_INTERVAL_MS=500
	await 3000 health '/health?verbose' \
		'.components.canary | .status == "ok" and ([.workers[] | select(.deliveredMs > 0)] | length) == 2'
	health /health/websocket '.status == "ok" and .connections == {"active": 0, "total": 0}'
}

@test "HUP exchanges the certificate, and no link is cut for it" {
	local ann
	certificate old 90
	certificate new 90
	use_tls old
	start_both
	tls_client ann old
	say '{"op":"join","room":"r"}'
	await 2000 grep -q joined "$OUT"
	ann=$(worker_pid 0)
	install_certificate new
	shown old
	kill -HUP "$GATEWAY"
	await 2000 shown new
	say '{"op":"send","room":"r","id":"1","body":"still here"}'
	await 2000 grep -q 'still here' "$OUT"
	[ "$(worker_pid 0)" = "$ann" ]
	websocket '.connections.active == 1 and .connections.total == 1 and .restarts == 0'
	# A worker that comes later shows the new one, too.
	kill -KILL "$ann"
	await 5000 websocket '.restarts == 1 and .status == "ok"'
	shown new
}

@test "a certificate that ends within 14 days is degraded, and an expired one is told as such" {
	certificate short 13
	certificate long 90
	use_tls short
	start_both
	websocket '.status == "degraded" and (.reasons[0] | test("certificate expires in 1[23]\\.[0-9] days"))'
	code_is /health/websocket 200
	code_is /health/ready 200
	openssl req -new -key "$DIR/long.key" -subj /CN=localhost |
		openssl x509 -req -signkey "$DIR/long.key" -days -1 -out "$DIR/past.crt" 2>/dev/null
	cp "$DIR/long.key" "$DIR/past.key"
	install_certificate past
	kill -HUP "$GATEWAY"
	await 2000 websocket '.status == "degraded" and (.reasons[0] | test("has expired"))'
	code_is /health/live 200
	install_certificate long
	kill -HUP "$GATEWAY"
	await 2000 websocket '.status == "ok"'
}

@test "bad files stop the start with one sentence, and on HUP change nothing" {
	certificate good 90
	certificate other 90
	use_tls good
	"$BIN/parley-gateway" --check
	cp "$DIR/other.key" "$DIR/key.pem"
	run "$BIN/parley-gateway"
	[ "$status" = 78 ] && [ "${#lines[@]}" = 1 ] && [[ $output == *"not that of the certificate"* ]]
	install_certificate good
	chmod o+r "$DIR/key.pem"
	run "$BIN/parley-gateway" --check
	[ "$status" = 78 ] && [[ $output == *PARLEY_TLS_KEY_FILE*"chmod o-r"* ]]
	run "$BIN/parley-gateway" --tls-key-file= --check
	[ "$status" = 78 ] && [[ $output == *"go together"* ]]
	run "$BIN/parley-gateway" --tls-cert-file=/nowhere --check
	[ "$status" = 78 ] && [[ $output == *PARLEY_TLS_CERT_FILE*"No such file"* ]]
	run "$BIN/parley-gateway" --listen 0.0.0.0:0 --check
	[ "$status" = 78 ] && [[ $output == *OPEN_BEYOND_LOOPBACK* ]]

	chmod o-r "$DIR/key.pem"
	start_both
	echo half >"$DIR/key.pem"
	kill -HUP "$GATEWAY"
	await 2000 grep -q 'reload refused.*PARLEY_TLS_KEY_FILE' "$DIR/gateway.log"
	shown good
	kill -KILL "$(worker_pid 0)"
	await 5000 websocket '.restarts == 1 and .status == "ok"'
	shown good
}

@test "who speaks no TLS, or never ends to begin, is gone in time and counted" {
	certificate good 90
	use_tls good
	start_both PARLEY_WORKERS=1 PARLEY_HANDSHAKE_TIMEOUT_MS=1500 PARLEY_CLOSE_TIMEOUT_MS=200
	tls_client ann good
	exec {plain}<>"/dev/tcp/127.0.0.1/$PORT"
	# It may be gone before all is written.
	(printf 'GET / HTTP/1.1\r\nHost: h\r\n\r\n' >&"$plain") || true
	exec {silent}<>"/dev/tcp/127.0.0.1/$PORT" {half}<>"/dev/tcp/127.0.0.1/$PORT"
	printf '\x16\x03\x01\x02\x00\x01' >&"$half" # a hello that never comes
	said_no_plain "$plain"
	await 2000 refused 3
	said_no_plain "$silent"
	said_no_plain "$half"
	websocket '.connections.active == 1 and .status == "ok"'
	await 2000 [ "$(ss -Htn state established "( sport = :$PORT )" | wc -l)" = 1 ]
	# Who asks for new keys within TLS 1.2 gets none, and the link of another stays.
	printf 'R\n' | timeout 5 openssl s_client -tls1_2 -CAfile "$DIR/good.crt" -connect "localhost:$PORT" \
		>"$DIR/renegotiation.log" 2>&1 || true
	grep -qi 'no renegotiation' "$DIR/renegotiation.log"
	say '{"op":"ping"}'
	await 2000 grep -q pong "$OUT"
}

@test "after an upgrade the certificate is shown, and exchanged as before" {
	certificate old 90
	certificate new 90
	use_tls old
	start_both
	kill -USR2 "$GATEWAY"
	await 8000 grep -q 'gateway reloaded' "$DIR/gateway.log"
	shown old
	tls_client ann old
	install_certificate new
	kill -HUP "$GATEWAY"
	await 2000 shown new
	websocket '.connections.active == 1'
}

@test "what holds of HTTP and RFC 6455 holds over TLS" {
	certificate good 90
	use_tls good
	start_gateway PARLEY_WORKERS=1 PARLEY_MESSAGE_MAX=1024
	local part
	for part in http frames; do
		JUDGE_CA=$DIR/good.crt run "$PYTHON" "$ROOT/tests/e2e/rfc6455.py" "$PORT" $part
		echo "$output"
		[ "$status" = 0 ]
	done
}
