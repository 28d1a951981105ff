# Compressed messages (RFC 7692): rules with raw bytes, stock clients, and a message that is
# compressed once, however many get it.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "RFC 7692: offers, frames and bombs, with raw bytes" {
	start_gateway PARLEY_WORKERS=1 PARLEY_MESSAGE_MAX=1024 PARLEY_DEFLATE=yes PARLEY_DEFLATE_MIN=1
	run "$PYTHON" "$ROOT/tests/e2e/rfc7692.py" "$PORT" all
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c '^ok' <<<"$output")" -ge 27 ]
	# What holds without compression does with it.
	run "$PYTHON" "$ROOT/tests/e2e/rfc6455.py" "$PORT" frames
	[ "$status" = 0 ]
}

@test "stock clients of two languages chat compressed" {
	start_both PARLEY_WORKERS=2 PARLEY_DEFLATE=yes PARLEY_DEFLATE_MIN=1
	"$PYTHON" "$ROOT/tests/e2e/stock_client.py" "$PORT" >"$DIR/python.log" 2>&1 &
	local python=$!
	PIDS+=("$python")
	await 5000 grep -q joined "$DIR/python.log"
	NODE_PATH=${NODE_PATH:-/usr/share/nodejs} timeout 20 \
		node "$ROOT/tests/e2e/stock_client.js" "$PORT" ws deflate >"$DIR/node.log" 2>&1
	wait "$python"
	grep -qx 'node heard: hello from python' "$DIR/node.log"
	grep -qx 'python heard: hello from node' "$DIR/python.log"
	grep -qx 'closed 1000' "$DIR/node.log"
	[ "$(metric deflate_connections_total)" = 2 ]
	[ "$(metric inflated_messages_total)" -ge 4 ]
	[ "$(metric deflated_messages_total)" -ge 2 ]
}

@test "by default nothing is compressed, whatever is offered" {
	start_both
	NODE_PATH=${NODE_PATH:-/usr/share/nodejs} timeout 20 node -e "
		const ws = new (require('ws'))('ws://127.0.0.1:$PORT/chat?user=n', ['parley.v1']);
		ws.on('message', () => { console.log('extensions:' + ws.extensions); ws.close(); });" >"$DIR/node.log" 2>&1
	grep -qx 'extensions:' "$DIR/node.log"
	[ "$(metric deflate_connections_total)" = 0 ]
}
