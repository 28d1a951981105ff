# The Kubernetes manifest: as the API wants it, its settings are ones, its probes ask what
# there is. What becomes of it under faults: kubelet.bats.

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

@test "kubernetes: the manifest is as the published types and rules want it" {
	run "$PYTHON" "$ROOT/tests/e2e/kubernetes_check.py" "$MANIFEST"
	[ "$status" = 0 ]
	[[ $output == "as Kubernetes "*": 3 objects" ]]
}

@test "kubernetes: what an API server would refuse is found" {
	local found=0 edit words
	while IFS='|' read -r edit words; do
		sed "$edit" "$MANIFEST" >"$DIR/bad.yaml"
		run "$PYTHON" "$ROOT/tests/e2e/kubernetes_check.py" "$DIR/bad.yaml"
		[ "$status" = 1 ]
		[[ $output == *"$words"* ]]
		found=$((found + 1))
	done <<'END'
s/periodSeconds: 5/periodSecond: 5/|V1Probe has no field periodSecond
s/failureThreshold: 6/failureThreshold: six/|'six' is no integer
s/containerPort: 8080/hostPort: 8080/|has no containerPort
s/restartPolicy: Always/restartPolicy: Never/|is no sidecar
s/medium: Memory/medium: memory/|is not one of
s/sizeLimit: 16Mi/sizeLimit: 16 MB/|is not one of
s/value: "5000"/value: 5000/|is no string
s/name: segment, mountPath/name: segmet, mountPath/|which is no volume
s/port: health}/port: helth}/|which the container does not name
s/targetPort: chat/targetPort: chatt/|no container has the port
s/matchLabels: {app.kubernetes.io\/name: parley/matchLabels: {app.kubernetes.io\/name: parly/|does not match its own pods
s/claimName: parley-messages/claimName: messages/|which is not there
END
	[ "$found" = 12 ]
}

@test "kubernetes: the probes ask for what healthd and parley-probe have" {
	start_both
	local path paths words
	mapfile -t paths < <(pod ".. | .httpGet? | select(. != null) | .path")
	[ "${#paths[@]}" = 2 ]
	for path in "${paths[@]}"; do
		code_is "$path" 200
	done
	mapfile -t words < <(pod ".. | .startupProbe?, .livenessProbe?, .readinessProbe? | .exec? | select(. != null) | .command | join(\" \")")
	[ "${#words[@]}" = 2 ]
	for path in "${words[@]}"; do
		[[ $path == "parley-probe "* ]]
		# As it stands there.
		# shellcheck disable=SC2086
		(PATH=$BIN:$PATH && $path)
	done
	# A restart brings back neither a gateway nor a store: liveness asks for none of them.
	[ "$(pod "$HEALTHD_IN | .livenessProbe.httpGet.path")" = / ]
	[ "$(pod "$GATEWAY_IN | .livenessProbe.exec.command[1]")" = live ]
}

@test "kubernetes: the gateway's liveness leaves time to heal, its grace time to drain" {
	local budget='.periodSeconds * .failureThreshold' act
	act=$(env -u PARLEY_HANG_ACT_MS "$BIN/parley-gateway" --print | sed -n 's/^PARLEY_HANG_ACT_MS=//p')
	[ "$(pod "$HEALTHD_IN | .restartPolicy")" = Always ]
	[ "$(pod "$GATEWAY_IN | .livenessProbe | $budget")" -ge $((3 * act / 1000)) ]
	local of='[.env[] | select(.name == "PARLEY_DRAIN_ANNOUNCE_MS" or .name == "PARLEY_DRAIN_DEADLINE_MS") | .value | tonumber] | add'
	[ $(($(pod .terminationGracePeriodSeconds) * 1000)) -gt "$(pod "$GATEWAY_IN | $of")" ]
}

@test "kubernetes: the preStop hook drains, and fits into the grace period" {
	local hook timeout_s of='[.env[] | select(.name == "PARLEY_DRAIN_ANNOUNCE_MS" or .name == "PARLEY_DRAIN_DEADLINE_MS") | .value | tonumber] | add'
	mapfile -t hook < <(pod "$GATEWAY_IN | .lifecycle.preStop.exec.command[]")
	timeout_s=${hook[-1]#--timeout=}
	[ $((timeout_s * 1000)) -gt "$(pod "$GATEWAY_IN | $of")" ]
	[ "$(pod .terminationGracePeriodSeconds)" -gt "$timeout_s" ]
	start_gateway
	PATH=$BIN:$PATH "${hook[@]}"
	await 100 gone "$GATEWAY"
	wait "$GATEWAY"
}
