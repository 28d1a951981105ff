# An upgrade at the wrong moment: a worker hangs, a roll is under way, the gateway drains;
# and a supervisor that dies after it, as any other does.

load lib
load upgrade
setup() {
	setup_daemons
	own_program
}
teardown() { teardown_daemons; }

@test "while a worker hangs: it is replaced as it would have been, and the upgrade gets through" {
	start_both PARLEY_HANG_REPORT_MS=400 PARLEY_HANG_ACT_MS=1000
	local hung
	hung=$(worker_pid 0)
	kill -STOP "$hung"
	await 2000 websocket '.workers[0].hang != null'
	install_program "$OTHERS/next/parley-gateway"
	upgrade
	await 10000 version_is 0.1.0-next
	gone "$hung"
	await 1000 logged 1 'worker died.*reason=hung'
}

@test "while a roll is under way: both are done" {
	start_both
	clients 20
	install_program "$OTHERS/next/parley-gateway"
	kill -HUP "$GATEWAY"
	await 2000 logged 1 'gateway reloads'
	upgrade
	await 10000 version_is 0.1.0-next
	await 2000 websocket '.restarts == 0 and .sequencer.state == "serving"'
}

@test "while it drains it is ignored" {
	start_both PARLEY_DRAIN_ANNOUNCE_MS=500
	install_program "$OTHERS/next/parley-gateway"
	kill -TERM "$GATEWAY"
	await 500 logged 1 'gateway drains'
	upgrade
	await 500 logged 1 'upgrade not begun'
	await 3000 gone "$GATEWAY"
	wait "$GATEWAY"
	logged 0 'gateway goes on'
}

@test "signals to all processes, as a service manager sends them, are the supervisor's alone" {
	start_both
	kill -USR2 "$(worker_pid 0)" "$(worker_pid 1)" "$GATEWAY"
	await 5000 logged 1 'gateway reloaded'
	websocket '.restarts == 0'
}

@test "a supervisor that dies after an upgrade is a dead supervisor" {
	start_both
	upgrade
	await 5000 logged 1 'gateway reloaded'
	local worker
	worker=$(worker_pid 0)
	kill -KILL "$GATEWAY"
	await 300 websocket '.server == "stopped"'
	await 3000 gone "$worker"
}

@test "a worker that dies while the supervisor becomes another is heard of" {
	start_both
	local victim
	victim=$(worker_pid 0)
	upgrade
	await 2000 logged 1 'becomes another'
	kill -KILL "$victim" 2>/dev/null || true
	await 8000 websocket '.status == "ok" and (.workers | all(.state == "serving"))'
	await 3000 logged 1 'gateway reloaded'
	gone "$victim"
}
