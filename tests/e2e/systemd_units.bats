# The units under a booted systemd: start, ready, watchdog, restart, and lives of their own.

load lib
load systemd_box

setup_file() {
	setup_daemons
	box_possible || return 0
	local box=$DIR/box unit port health
	mkdir -p "$box/etc/systemd/system" "$box/opt" "$box/etc/parley"
	cp "$BIN"/parley-* "$box/opt/"
	for unit in "$ROOT"/systemd/*.{service,socket,target}; do
		sed 's|/usr/bin/parley|/opt/parley|' "$unit" >"$box/etc/systemd/system/$(basename "$unit")"
	done
	port=$(free_port) health=$(free_port)
	sed -i "s/127.0.0.1:8080/127.0.0.1:$port/" "$box/etc/systemd/system/parley-gateway.socket"
	printf '%s\n' PARLEY_WORKERS=2 "PARLEY_LISTEN=127.0.0.1:$port" \
		"PARLEY_HEALTH_LISTEN=127.0.0.1:$health" PARLEY_DRAIN_ANNOUNCE_MS=100 \
		PARLEY_DRAIN_SPREAD_MS=100 >"$box/etc/parley/parley.conf"
	box_start "$box" || return 1
	box systemd-sysusers - <"$ROOT/systemd/parley.sysusers"
	box systemctl daemon-reload
	export BOX BOX_NSPAWN BOX_INIT DIR SEGMENT PORT=$port HEALTH=http://127.0.0.1:$health
}

teardown_file() {
	box_stop
	rm -rf "$DIR"
}

setup() {
	box_possible || skip "no systemd can be booted here"
	[ -n "${BOX_INIT:-}" ] || skip "no systemd can be booted here"
	PIDS=() CLIENTS=0
}

free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
main_pid() { box systemctl show -p MainPID --value "$1"; }
active() { [ "$(box systemctl is-active "$1")" = active ]; }
another() { # another UNIT PID: it runs again, as another process
	active "$1" && [ "$(main_pid "$1")" != "$2" ] && [ "$(main_pid "$1")" != 0 ]
}

@test "systemd: starts, is ready, and answers" {
	box systemctl start parley.target
	await 5000 active parley-gateway
	await 5000 active parley-healthd
	await 2000 websocket '.status == "ok"'
	box systemctl show -p StatusText --value parley-gateway | grep -q 'serving 2 of 2'
}

@test "systemd: a killed gateway returns, healthd outlives it" {
	local gateway healthd
	gateway=$(main_pid parley-gateway) healthd=$(main_pid parley-healthd)
	box kill -KILL "$gateway"
	await 1000 code_is /health/live 503
	await 5000 another parley-gateway "$gateway"
	await 5000 websocket '.status == "ok"'
	[ "$(main_pid parley-healthd)" = "$healthd" ]
}

@test "systemd: a killed healthd returns in a second, the gateway does not notice" {
	local gateway healthd
	gateway=$(main_pid parley-gateway) healthd=$(main_pid parley-healthd)
	box kill -KILL "$healthd"
	await 1000 another parley-healthd "$healthd"
	await 1000 websocket '.status == "ok"'
	[ "$(main_pid parley-gateway)" = "$gateway" ]
}

@test "systemd: the watchdog ends a stopped gateway" {
	local gateway
	gateway=$(main_pid parley-gateway)
	box kill -STOP "$gateway"
	await 12000 another parley-gateway "$gateway"
	await 5000 websocket '.status == "ok"'
}

@test "systemd: healthd goes on when the gateway is stopped" {
	box systemctl stop parley-gateway
	active parley-healthd
	await 500 websocket '.server == "stopped"'
	box systemctl start parley-gateway
	await 2000 websocket '.status == "ok"'
}

@test "systemd: reload rolls the workers" {
	local first
	first=$(worker_pid 0)
	box systemctl reload parley-gateway
	other_worker() { [ "$(worker_pid 0)" != "$first" ] && websocket '.status == "ok"'; }
	await 8000 other_worker
}

@test "systemd: socket activation, nobody is refused while the gateway is killed" {
	box systemctl stop parley-gateway
	box systemctl start parley-gateway.socket
	"$TOOLS/load" storm 20 5 "127.0.0.1:$PORT" >"$DIR/storm.log" 2>&1 &
	local storm=$!
	await 5000 websocket '.status == "ok"'
	box kill -KILL "$(main_pid parley-gateway)"
	wait "$storm"
	cat "$DIR/storm.log"
	grep -q ' refused=0' "$DIR/storm.log"
	box systemctl stop parley-gateway.socket parley-gateway
}

@test "systemd: exposure below 2.0 for each unit, and no misspelt key" {
	local unit
	for unit in gateway healthd; do
		systemd-analyze security --offline=true --threshold=20 "$ROOT/systemd/parley-$unit.service" >/dev/null
	done
	run box systemd-analyze verify --man=no /etc/systemd/system/parley-gateway.service \
		/etc/systemd/system/parley-healthd.service /etc/systemd/system/parley-gateway.socket
	[ "$output" = "" ]
}
