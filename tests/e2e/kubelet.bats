# The probe budget of the Kubernetes manifest, run by a kubelet of our own (kubelet.py) on
# the real programs, sixteen times as fast: who is restarted by what, and who is not.

load lib

FACTOR=0.06

setup_file() {
	setup_daemons
	export DIR SEGMENT PORT=$(free_port) HEALTH_PORT=$(free_port)
	export HEALTH=http://127.0.0.1:$HEALTH_PORT
	export MANIFEST=${MANIFEST:-$ROOT/healthd/kubernetes.yaml}
	start_pod
	export KUBELET
}

teardown_file() {
	kill -TERM "$KUBELET"
	await 20000 gone "$KUBELET"
	rm -rf "$DIR" "/dev/shm/$SEGMENT" "/dev/shm/$SEGMENT.kept"
}

setup() { PIDS=() CLIENTS=$((BATS_TEST_NUMBER * 10)); }
teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 100 "$DIR"/*.log
	[ ${#PIDS[@]} = 0 ] || kill -KILL "${PIDS[@]}" 2>/dev/null || true
}

free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The pod's own settings are the manifest's; of the rest only what makes time short.
start_pod() {
	local name
	for name in ${!PARLEY_@}; do
		[ "$name" = PARLEY_SEGMENT ] || [ "$name" = PARLEY_WORKERS ] || unset "$name"
	done
	PARLEY_HANG_REPORT_MS=200 PARLEY_HANG_ACT_MS=500 "$PYTHON" "$ROOT/tests/e2e/kubelet.py" "$MANIFEST" \
		--bin "$BIN" --dir "$DIR" --port "8080=$PORT" "3000=$HEALTH_PORT" --factor "$FACTOR" \
		>"$DIR/kubelet.log" 2>&1 3>&- &
	KUBELET=$!
	await 5000 pod .endpoints
}

pod() { # pod JQ-CONDITION
	jq -e "$1" "$DIR/pod.json" >/dev/null || {
		echo "not $1"
		cat "$DIR/pod.json"
		return 1
	}
}
of() { # of CONTAINER JQ
	jq -r ".containers.$1 | $2" "$DIR/pod.json"
}
asked_more() { # asked_more CONTAINER N: times since `remember`
	[ "$(of "$1" .probes.liveness.asked)" -ge $((ASKED[$1] + $2)) ]
}
remember() {
	declare -gA ASKED FAILED RESTARTS
	local container
	for container in gateway healthd; do
		ASKED[$container]=$(of $container .probes.liveness.asked)
		FAILED[$container]=$(of $container .probes.liveness.failed)
		RESTARTS[$container]=$(of $container .restarts)
	done
}
# Liveness was asked again and said yes every time; nobody was restarted for it.
untouched() { # untouched CONTAINER...
	local container
	for container in "$@"; do
		await 5000 asked_more "$container" 2
		[ "$(of "$container" .probes.liveness.failed)" = "${FAILED[$container]}" ]
		[ "$(of "$container" .restarts)" = "${RESTARTS[$container]}" ]
	done
}
restarted_once() { # restarted_once CONTAINER: since `remember`, and runs
	pod ".containers.$1 | .started and .restarts == $((RESTARTS[$1] + 1))"
}

@test "kubelet: the pod comes up, healthd first, and is in the endpoints" {
	pod '.containers | all(.started and .ready and .restarts == 0)'
	grep -n ' runs ' "$DIR/kubelet.log" | head -1 | grep -q healthd
	await 2000 websocket '.status == "ok"'
}

@test "kubelet: a killed worker restarts no container" {
	remember
	kill -KILL "$(worker_pid 1)"
	await 3000 websocket '.restarts == 1 and .status == "ok"'
	untouched gateway healthd
}

@test "kubelet: a stopped worker restarts no container" {
	remember
	local worker
	worker=$(worker_pid 0)
	kill -STOP "$worker"
	await 5000 gone "$worker"
	await 3000 websocket '.status == "ok"'
	untouched gateway healthd
}

@test "kubelet: a killed healthd is restarted, the gateway is not" {
	remember
	kill -KILL "$(of healthd .pid)"
	await 3000 restarted_once healthd
	await 3000 pod .endpoints
	untouched gateway
}

@test "kubelet: a stopped healthd is restarted by its own probe, the gateway is not" {
	remember
	kill -STOP "$(of healthd .pid)"
	await 8000 restarted_once healthd
	await 3000 pod .endpoints
	untouched gateway
}

@test "kubelet: a healthd that cannot live restarts no gateway" {
	remember
	local i
	for i in 1 2; do
		kill -KILL "$(of healthd .pid)"
		more_than() { [ "$(of healthd .restarts)" -ge $((RESTARTS[healthd] + i)) ] && pod '.containers.healthd.pid != null'; }
		await 20000 more_than
	done
	untouched gateway
	[ "$(of gateway .probes.liveness.asked)" -gt $((ASKED[gateway] + 6)) ]
	await 3000 pod .endpoints
}

@test "kubelet: a database that is down restarts nobody and leaves the pod ready" {
	remember
	mv "$DIR/volumes/messages" "$DIR/volumes/away"
	await 8000 code_is /health/database 503
	untouched gateway healthd
	pod .endpoints
	mv "$DIR/volumes/away" "$DIR/volumes/messages"
	await 8000 code_is /health/database 200
}

@test "kubelet: a killed gateway is restarted once and not in a loop" {
	remember
	kill -KILL "$(of gateway .pid)"
	await 8000 restarted_once gateway
	await 3000 pod .endpoints
	await 5000 asked_more gateway 3
	restarted_once gateway
	[ "$(of healthd .restarts)" = "${RESTARTS[healthd]}" ]
}

@test "kubelet: a crash loop takes the pod out of the endpoints and ends in one restart" {
	remember
	end_workers() {
		local pid
		for pid in $(body '/health/websocket?verbose' | jq -r '.workers[].pid // empty'); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		websocket '.workers | all(.state == "crash_loop")'
	}
	await 20000 end_workers
	await 2000 pod '.endpoints | not'
	await 15000 restarted_once gateway
	await 5000 pod .endpoints
	[ "$(of healthd .restarts)" = "${RESTARTS[healthd]}" ]
}

@test "kubelet: a stopped gateway is restarted by its liveness" {
	remember
	kill -STOP "$(of gateway .pid)"
	await 2000 pod '.endpoints | not'
	await 20000 restarted_once gateway
	await 5000 pod .endpoints
	[ "$(of healthd .restarts)" = "${RESTARTS[healthd]}" ]
}

@test "kubelet: a deleted pod leaves the endpoints first, drains within its grace, healthd last" {
	client ann
	kill -TERM "$KUBELET"
	await 1000 pod '.leaving and (.endpoints | not)'
	await 10000 gone "$KUBELET"
	await 100 grep -q '^#close 1001' "$OUT"
	pod '.containers.gateway.exits[-1] == 0 and .containers.healthd.exits[-1] == 0'
	grep ' exited ' "$DIR/kubelet.log" | tail -1 | grep -q healthd
	[ "$(grep -c 'killed' <(tail -n 6 "$DIR/kubelet.log"))" = 0 ]
	pod ".leftSeconds < $(grep -oE 'terminationGracePeriodSeconds: [0-9]+' "$MANIFEST" | head -1 | grep -oE '[0-9]+')"
}
