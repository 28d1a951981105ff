# The Kubernetes manifest: its settings are ones, its probes ask what there is, and healthd's
# death restarts no healthy gateway.

load lib
setup() {
	setup_daemons
	MANIFEST=$ROOT/healthd/kubernetes.yaml
	"$PYTHON" -c 'import yaml, json, sys; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))' \
		<"$MANIFEST" >"$DIR/manifest.json"
}
teardown() { teardown_daemons; }

pod() { # pod JQ-FILTER, on what the Deployment makes its pods of
	jq -er ".[] | select(.kind == \"Deployment\") | .spec.template.spec | $1" "$DIR/manifest.json"
}
GATEWAY_IN='.containers[] | select(.name == "gateway")'
HEALTHD_IN='.initContainers[] | select(.name == "healthd")'

@test "kubernetes: every setting is one, with a value within its bounds" {
	local settings
	mapfile -t settings < <(pod "$GATEWAY_IN | .env[] | .name + \"=\" + .value")
	[ "${#settings[@]}" -gt 3 ]
	env "${settings[@]}" "$BIN/parley-gateway" --check
	mapfile -t settings < <(pod "$HEALTHD_IN | .env[] | .name + \"=\" + .value")
	env "${settings[@]}" "$BIN/parley-healthd" --check
}

@test "kubernetes: the probes ask for paths that healthd has" {
	start_healthd
	local path paths
	mapfile -t paths < <(pod ".. | .httpGet? | select(. != null) | .path")
	[ "${#paths[@]}" = 4 ]
	for path in "${paths[@]}"; do
		health / ".paths | has(\"$path\")"
	done
	# A restart brings back neither a gateway nor a store: liveness asks for none of them.
	[ "$(pod "$HEALTHD_IN | .livenessProbe.httpGet.path")" = / ]
	[ "$(pod "$GATEWAY_IN | .livenessProbe.httpGet.path")" = /health/live ]
	code_is / 200
}

@test "kubernetes: the gateway's probe outlasts a restart of healthd, and its drain" {
	local budget='.periodSeconds * .failureThreshold'
	[ "$(pod "$HEALTHD_IN | .restartPolicy")" = Always ]
	[ "$(pod "$GATEWAY_IN | .livenessProbe | $budget")" -ge \
		$((3 * $(pod "$HEALTHD_IN | .livenessProbe | $budget"))) ]
	local of='[.env[] | select(.name == "PARLEY_DRAIN_ANNOUNCE_MS" or .name == "PARLEY_DRAIN_DEADLINE_MS") | .value | tonumber] | add'
	[ $(($(pod .terminationGracePeriodSeconds) * 1000)) -gt "$(pod "$GATEWAY_IN | $of")" ]
}
