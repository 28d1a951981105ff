# The stock clients of two languages chat with each other.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "ws (node) and websockets (python) chat with each other" {
	start_both PARLEY_WORKERS=2
	"$PYTHON" "$ROOT/tests/e2e/stock_client.py" "$PORT" >"$DIR/python.log" 2>&1 &
	local python=$!
	PIDS+=("$python")
	await 5000 grep -q joined "$DIR/python.log"
	NODE_PATH=${NODE_PATH:-/usr/share/nodejs} timeout 20 node "$ROOT/tests/e2e/stock_client.js" "$PORT" >"$DIR/node.log" 2>&1
	wait "$python"
	grep -qx 'node heard: hello from python' "$DIR/node.log"
	grep -qx 'python heard: hello from node' "$DIR/python.log"
	grep -qx 'closed 1000' "$DIR/node.log"
}
