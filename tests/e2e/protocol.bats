# Every example of the protocol's reference is what a real gateway says.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "the examples of PROTOCOL.md, replayed against a real gateway" {
	start_gateway PARLEY_WORKERS=1 PARLEY_RETAIN_MESSAGES=100 PARLEY_RATE_MESSAGES=100
	run "$PYTHON" "$ROOT/tests/e2e/protocol.py" "$PORT" "$GATEWAY" "$ROOT/gateway/PROTOCOL.md"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c '^ok' <<<"$output")" = "$(grep -c '^Server:' "$ROOT/gateway/PROTOCOL.md")" ]
}
