# The units under a booted systemd, from an installed tree: start in any order, ready,
# watchdog, restart of each process, settings, reload, and lives of their own.

load lib
load systemd_box

setup_file() {
	setup_daemons
	box_possible || return 0
	local box=$DIR/box port health
	mkdir -p "$box/opt"
	make_in_turn install DESTDIR="$box" PREFIX=/opt/parley \
		UNITDIR=/etc/systemd/system SYSUSERSDIR=/etc/sysusers.d TMPFILESDIR=/etc/tmpfiles.d
	port=$(free_port) health=$(free_port)
	sed -i "s/127.0.0.1:8080/127.0.0.1:$port/" "$box/etc/systemd/system/parley-gateway.socket"
	printf '%s\n' PARLEY_WORKERS=2 "PARLEY_LISTEN=127.0.0.1:$port" PARLEY_MESSAGE_MAX=1000 \
		PARLEY_DRAIN_ANNOUNCE_MS=100 PARLEY_DRAIN_SPREAD_MS=100 >"$box/etc/parley/gateway.env"
	printf '%s\n' "PARLEY_HEALTH_LISTEN=127.0.0.1:$health" PARLEY_CANARY_INTERVAL_MS=1000 \
		PARLEY_AUDIT_INTERVAL_MS=500 >"$box/etc/parley/healthd.env"
	box_start "$box" || return 1
	box systemd-sysusers
	box systemd-tmpfiles --create --prefix=/etc/parley
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
	PIDS=() CLIENTS=$((BATS_TEST_NUMBER * 10))
}

free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
main_pid() { box systemctl show -p MainPID --value "$1"; }
active() { [ "$(box systemctl is-active "$1")" = active ]; }
another() { # another UNIT PID: it runs again, as another process
	active "$1" && [ "$(main_pid "$1")" != "$2" ] && [ "$(main_pid "$1")" != 0 ]
}
sequencer_pid() { body '/health/websocket?verbose' | jq .sequencer.pid; }

@test "systemd: starts, is ready, and answers" {
	box systemctl start parley.target
	await 5000 active parley-gateway
	await 5000 active parley-healthd
	await 2000 websocket '.status == "ok"'
	box systemctl show -p StatusText --value parley-gateway | grep -q 'serving 2 of 2'
}

@test "systemd: canary and audit work under the unit's restrictions" {
	await 6000 health '/health?verbose' '.components | .canary.status == "ok" and .audit.status == "ok" and .audit.drift == 0'
}

@test "systemd: the settings files are read, the gateway's by itself only, and reload takes a change over" {
	[ "$(box stat -c '%a %U %G' /etc/parley/gateway.env)" = "640 root parley" ]
	client ann
	grep -q '"message":1000' "$OUT"
	local first
	first=$(worker_pid 0)
	sed -i s/MESSAGE_MAX=1000/MESSAGE_MAX=2000/ "$BOX/etc/parley/gateway.env"
	box systemctl reload parley-gateway
	other_worker() { [ "$(worker_pid 0)" != "$first" ] && websocket '.status == "ok" and .restarts == 0'; }
	await 8000 other_worker
	client bob
	grep -q '"message":2000' "$OUT"
}

# As a package manager does; in the box as well as here.
install_gateway() { # install_gateway FILE
	cp "$1" "$BOX/opt/parley/bin/parley-gateway.new"
	mv "$BOX/opt/parley/bin/parley-gateway.new" "$BOX/opt/parley/bin/parley-gateway"
}
upgraded() { # upgraded VERSION
	websocket ".status == \"ok\" and .version == \"$1\" and (.workers | all(.state == \"serving\"))"
}

@test "systemd: an upgrade keeps pid and port, refuses nobody, and the way back is the same" {
	local main storm
	main=$(main_pid parley-gateway)
	"$TOOLS/load" storm 20 4 "127.0.0.1:$PORT" >"$DIR/upgrade-storm.log" 2>&1 &
	storm=$!
	install_gateway "$ROOT/build/$MODE/others/next/parley-gateway"
	box systemctl kill -s USR2 parley-gateway
	await 5000 upgraded 0.1.0-next
	install_gateway "$BIN/parley-gateway"
	box systemctl kill -s USR2 parley-gateway
	await 5000 upgraded 0.1.0
	wait "$storm"
	grep -q ' refused=0' "$DIR/upgrade-storm.log"
	active parley-gateway
	[ "$(main_pid parley-gateway)" = "$main" ]
	[ "$(box systemctl show -p NRestarts --value parley-gateway)" = 0 ]
	box systemctl show -p StatusText --value parley-gateway | grep -q 'serving 2 of 2'
}

@test "systemd: messages lie in the state folder and survive a restart of the service" {
	client ann
	say '{"op":"join","room":"lobby","ref":1}' '{"op":"send","room":"lobby","id":"1","body":"kept","ref":2}'
	await 3000 grep -q '"op":"sent"' "$OUT"
	[ -s "$BOX/var/lib/parley/parley.db" ]
	[ "$(box stat -c '%a %U' /var/lib/parley)" = "750 parley" ]
	box systemctl restart parley-gateway
	await 3000 websocket '.status == "ok"'
	client bob
	say '{"op":"join","room":"lobby","since":0,"ref":1}'
	await 3000 grep -q '"body":"kept"' "$OUT"
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

@test "systemd: a killed worker and a killed sequencer return, the service goes on" {
	local gateway worker sequencer
	gateway=$(main_pid parley-gateway)
	worker=$(worker_pid 1) sequencer=$(sequencer_pid)
	box kill -KILL "$worker" "$sequencer"
	returned() {
		[ "$(worker_pid 1)" != "$worker" ] && [ "$(sequencer_pid)" != "$sequencer" ] &&
			websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	}
	await 5000 returned
	[ "$(main_pid parley-gateway)" = "$gateway" ]
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

@test "systemd: healthd goes on when the gateway is stopped, and says so" {
	local healthd
	healthd=$(main_pid parley-healthd)
	box systemctl stop parley-gateway
	await 500 websocket '.server == "stopped" and .connections.active == 0'
	code_is /health/websocket 503
	[ "$(main_pid parley-healthd)" = "$healthd" ]
	box systemctl start parley-gateway
	await 2000 websocket '.status == "ok"'
}

@test "systemd: either may start first" {
	box systemctl stop parley-gateway parley-healthd
	box systemctl start parley-healthd
	await 2000 code_is /health/startup 503
	code_is /health/live 200
	box systemctl start parley-gateway
	await 3000 code_is /health/ready 200

	box systemctl stop parley-gateway parley-healthd
	box systemctl start parley-gateway
	box systemctl start parley-healthd
	await 3000 code_is /health/ready 200
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

@test "systemd: the socket that was handed in is kept by an upgrade" {
	box systemctl start parley-gateway.socket
	client ann
	await 5000 upgraded 0.1.0
	local main
	main=$(main_pid parley-gateway)
	install_gateway "$ROOT/build/$MODE/others/next/parley-gateway"
	box systemctl kill -s USR2 parley-gateway
	await 5000 upgraded 0.1.0-next
	client bob
	[ "$(main_pid parley-gateway)" = "$main" ]
	install_gateway "$BIN/parley-gateway"
	box systemctl stop parley-gateway.socket parley-gateway
}

@test "systemd: exposure below 2.0 for each unit, and no misspelt key" {
	local unit
	for unit in gateway healthd; do
		systemd-analyze security --offline=true --threshold=20 \
			"$BOX/etc/systemd/system/parley-$unit.service" >/dev/null
	done
	run box systemd-analyze verify --man=no /etc/systemd/system/parley-gateway.service \
		/etc/systemd/system/parley-healthd.service /etc/systemd/system/parley-gateway.socket
	[ "$output" = "" ]
}
