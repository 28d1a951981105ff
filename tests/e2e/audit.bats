# The audit: what the gateway counts against what the kernel has.
load lib
load audit

setup() {
	setup_daemons
	export PARLEY_AUDIT_INTERVAL_MS=300
}
teardown() { teardown_daemons; }

audit() { # audit JQ-CONDITION, on its component
	health '/health?verbose' ".components.audit | $1"
}

@test "counts that are true have drift 0, by worker" {
	start_both
	clients 20
	await 2000 audit '.status == "ok" and .drift == 0 and .sockets == 20 and .source == "sock_diag" and .perWorker'
	audit '([.workers[].sockets] | add) == 20 and ([.workers[].drift] | add) == 0'
	[ "$(metric audit_drift)" = 0 ]
	[ "$(metric audit_sockets)" = 20 ]
	# Who waits to be accepted is none of the gateway's yet.
	kill -STOP "$(worker_pid 0)" "$(worker_pid 1)"
	kill -CONT "$(worker_pid 0)" "$(worker_pid 1)"
	await 2000 audit '.status == "ok"'
}

@test "a false count is told as drift of that worker, and as degraded" {
	start_both
	clients 20
	await 2000 audit '.status == "ok" and .sockets == 20'
	local had
	had=$(served_by 1)
	falsify 1 $((had + 5))
	await 3000 audit '.status == "degraded" and .drift == -5 and (.workers[] | select(.seat == 1) | .drift) == -5'
	audit '(.workers[] | select(.seat == 0) | .drift) == 0'
	health /health/websocket '.status == "degraded" and (.reason | test("^worker 1: the kernel has 5 connections fewer"))'
	[ "$(metric 'audit_worker_drift{worker="1"}')" = -5 ]
	code_is /health/ready 200
	falsify 1 "$had"
	await 2000 audit '.status == "ok" and .drift == 0'
	health /health/websocket '.status == "ok"'
}

@test "as another user healthd compares all workers together, and says so" {
	[ "$(id -u)" = 0 ] || skip "only root can be another user"
	chmod 755 "$DIR"
	start_gateway PARLEY_SEGMENT_GROUP=nogroup
	setpriv --reuid=nobody --regid=nogroup --clear-groups "$BIN/parley-healthd" >"$DIR/healthd.log" 2>&1 &
	HEALTHD=$!
	PIDS+=("$HEALTHD")
	await 5000 grep -q 'healthd listening' "$DIR/healthd.log"
	HEALTH=http://127.0.0.1:$(sed -n 's/.*healthd listening.* port=\([0-9]*\).*/\1/p' "$DIR/healthd.log")
	clients 5
	await 2000 audit '.status == "ok" and .sockets == 5 and .perWorker == false and (.reason | test("together"))'
	falsify 0 100
	await 3000 audit '.status == "degraded" and .drift < 0'
}

@test "in another network namespace nothing is known, and no drift is told" {
	unshare --net true 2>/dev/null || skip "no namespaces can be made here"
	start_gateway
	clients 5
	unshare --net sh -c "ip link set lo up; exec $BIN/parley-healthd" >"$DIR/healthd.log" 2>&1 &
	HEALTHD=$!
	PIDS+=("$HEALTHD")
	await 5000 grep -q 'healthd listening' "$DIR/healthd.log"
	HEALTH=http://127.0.0.1:$(sed -n 's/.*healthd listening.* port=\([0-9]*\).*/\1/p' "$DIR/healthd.log")
	inside() {
		nsenter -t "$HEALTHD" -n curl -sS -m 5 "$HEALTH/health?verbose" | jq -e "$1"
	}
	await 2000 inside '.components.audit | .status == "unknown" and .drift == null and (.reason | test("another network namespace"))'
	inside '.status == "ok" and .components.websocket.connections.active == 5'
}
