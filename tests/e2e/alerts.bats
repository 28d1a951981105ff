# Each alert fires when it should: by the rules' own tests, and by what healthd really
# exposes under the fault. Two scrapes are enough for that: promtool has the time pass.

load lib
load metrics
load audit
setup() {
	need_promtool
	setup_daemons
}
teardown() { teardown_daemons; }

@test "alerts: the rules are valid, each says what to do, and each has a test that makes it fire" {
	"$PROMTOOL" check rules "$RULES"
	"$PROMTOOL" test rules "$ROOT/tests/e2e/alerts_test.yaml"
	"$PYTHON" - "$RULES" "$ROOT/tests/e2e/alerts_test.yaml" <<-'END'
		import sys, yaml
		rules, tests = (yaml.safe_load(open(path)) for path in sys.argv[1:])
		rules = [rule for group in rules['groups'] for rule in group['rules']]
		for rule in rules:
		    assert set(rule['annotations']) == {'summary', 'description', 'action'}, rule['alert']
		    assert rule['labels']['severity'] in ('critical', 'warning', 'info'), rule['alert']
		fired = {test['name'] for test in tests['tests'] for expr in test['promql_expr_test']
		         if f'alertname="{test["name"]}"' in expr['exp_samples'][0]['labels']}
		assert fired == {rule['alert'] for rule in rules}, fired ^ {rule['alert'] for rule in rules}
	END
}

@test "alerts: a gateway that is well lets none fire; one that is killed, or has no worker, does" {
	start_both PARLEY_HANG_ACT_MS=60000 # nobody heals meanwhile
	client ann
	say '{"op":"join","room":"r"}' '{"op":"send","room":"r","id":"1","body":1}'
	await 2000 grep -q '"op":"sent"' "$OUT"
	scrape well
	fires none well well

	kill -STOP "$(worker_pid 0)"
	await 3000 health /health '.status == "degraded"'
	scrape hung
	fires ParleyDegraded well hung
	fires ParleyWorkerHung well hung
	fires ParleyWorkersMissing well hung

	kill -STOP "$(worker_pid 1)"
	no_worker() { scrape none && grep -qx 'parley_workers_serving 0' "$DIR/none.txt"; }
	await 3000 no_worker
	fires ParleyNoWorker well none

	kill -KILL "$GATEWAY"
	await 2000 code_is /health/live 503
	scrape gone
	fires ParleyGatewayDown well gone
	fires ParleyNotLive well gone
}

@test "alerts: workers that are killed again and again" {
	local before
	start_both
	scrape well
	for n in 1 2 3; do
		before=$(worker_pid 0)
		kill -KILL "$before"
		replaced() { [ "$(worker_pid 0)" != "$before" ] && websocket '.workers[0].state == "serving"'; }
		await 5000 replaced
	done
	scrape restarted
	fires ParleyWorkerRestarts well restarted
}

@test "alerts: a store that is locked is slow, then down; its queue fills up to its bound" {
	start_both PARLEY_STORE_DEADLINE_MS=600 PARLEY_STORE_QUEUE_MAX=10 PARLEY_STORE_HOLD_MS=20000 \
		PARLEY_CANARY_INTERVAL_MS=0 # whose commits would be counted
	client ann
	say '{"op":"join","room":"r"}' '{"op":"send","room":"r","id":"0","body":1}'
	await 2000 grep -q '"op":"sent"' "$OUT"
	scrape well
	mkfifo "$DIR/lock"
	"$PYTHON" -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()' "${PARLEY_STORE#sqlite:}" <"$DIR/lock" >"$DIR/lock.out" 2>&1 &
	PIDS+=($!)
	exec {LOCK}>"$DIR/lock"
	await 5000 grep -q held "$DIR/lock.out"
	for n in 1 2 3 4 5 6 7 8 9; do
		say "{\"op\":\"send\",\"room\":\"r\",\"id\":\"$n\",\"body\":1}"
	done
	down() { scrape down && grep -qx 'parley_store_up 0' "$DIR/down.txt" && late; }
	late() { ! grep -q '^parley_store_commit_seconds_bucket{le="+Inf"} [01]$' "$DIR/down.txt"; }
	await 5000 down
	fires ParleyStoreDown well down
	fires ParleyStoreSlow well down
	fires ParleyQueueNearBound well down
	# Orphans would write on into the test's folder once the lock is gone.
	echo >&"$LOCK"
	kill -TERM "$GATEWAY"
	await 5000 gone "$GATEWAY"
}

@test "alerts: counts that are not true; a canary whose messages do not come back" {
	start_both PARLEY_CANARY_INTERVAL_MS=300 PARLEY_CANARY_TIMEOUT_MS=100 \
		PARLEY_AUDIT_INTERVAL_MS=300 PARLEY_HANG_REPORT_MS=60000 PARLEY_HANG_ACT_MS=600000
	clients 20
	await 3000 health '/health?verbose' '.components | .canary.status == "ok" and .audit.status == "ok"'
	scrape well
	fires none well well
	falsify 1 $(($(served_by 1) + 5))
	drifts() { scrape drift && grep -qx 'parley_audit_drift -5' "$DIR/drift.txt"; }
	await 5000 drifts
	fires ParleyDrift well drift

	sequencer=$(body '/health/websocket?verbose' | jq .sequencer.pid)
	kill -STOP "$sequencer"
	fails() { scrape deaf && grep -qE '^parley_canary_failures ([3-9]|[0-9]{2})' "$DIR/deaf.txt"; }
	await 5000 fails
	kill -CONT "$sequencer"
	fires ParleyCanaryFailing well deaf
}
