# harm - every fault that can be made on a running pair, told to the prober as it begins
# and ends. Sourced after tests/chaos/faults.bash; each fails where it cannot be made now.

source tests/chaos/harm_segment.bash

# ---- a worker, the sequencer ----

kill_one() { # kill_one NAME ROW
	may_die "$1" || return 1
	delay_of "$1"
	suffer "$1" "$2" $((500 + DELAY))
	kill -KILL "${SEAT_PID[$1]}"
}

hang_one() { # hang_one NAME ROW HOW: stop, or how tests/tools/wedge has it
	local pid=${SEAT_PID[$1]-}
	may_die "$1" || return 1
	wait_of_abort
	((WAIT <= ${WAIT_MAX:-0})) || return 1
	delay_of "$1"
	suffer "$1" "$2" $((4000 + WAIT + DELAY))
	HANGING=$((HANGING + 1))
	case $3 in
	stop) kill -STOP "$pid" ;;
	*) "$TOOLS/wedge" "$pid" "$3" 2>>"$DIR/harm.log" || true ;;
	esac
}

pause_one() { # pause_one NAME ROW MS: shorter than what is called a hang
	fit "$1" || return 1
	begin "$2"
	BUSY[$1]=$ID
	kill -STOP "${SEAT_PID[$1]}"
	later "$3" "resume_one $1 $ID ${SEAT_PID[$1]}"
}
resume_one() { # resume_one NAME ID PID
	kill -CONT "$3" 2>/dev/null || true
	mend "$2"
	[ "${BUSY[$1]-}" != "$2" ] || BUSY[$1]=''
}

# So few descriptors that nobody new fits in, for a while.
starve() { # starve SEAT MS
	local pid=${SEAT_PID[$1]-} free=0 hard
	fit "$1" || return 1
	while [ -e "/proc/$pid/fd/$free" ]; do ((++free)); done # the next would be this one
	hard=$(ulimit -Hn)
	begin descriptors
	BUSY[$1]=$ID
	prlimit --pid "$pid" --nofile="$free:$hard" 2>/dev/null || true
	later "$2" "feed $1 $ID $pid $hard"
}
feed() { # feed SEAT ID PID LIMIT
	prlimit --pid "$3" --nofile="$4:$4" 2>/dev/null || true
	mend "$2"
	[ "${BUSY[$1]-}" != "$2" ] || BUSY[$1]=''
}

# Every worker at once; the first that is replaced ends that nobody can be served.
stop_all() {
	local seat id
	HANGING=0
	wait_of_abort
	((WAIT == 0)) || return 1
	for ((seat = 0; seat < WORKERS; seat++)); do may_die "$seat" || return 1; done
	begin stop_all 35000
	id=$ID
	for ((seat = 0; seat < WORKERS; seat++)); do
		suffer "$seat" stop_worker $((4000 + WORKERS * 32000))
		WAITS[$seat]+=" $id"
		kill -STOP "${SEAT_PID[$seat]}"
	done
	HANGING=$WORKERS
}

# ---- the whole gateway ----

all_pids() { # sets ALL
	ALL=("$GATEWAY")
	mapfile -t -O 1 ALL < <(pgrep -P "$GATEWAY")
}

any_alive() { # any_alive PID...
	local pid
	for pid; do
		! alive "$pid" || return 0
	done
	return 1
}

go_down() { # go_down ROW
	[ -z "$DOWN" ] || return 1
	follow
	begin "$1"
	DOWN=$ID
}

kill_gateway() {
	all_pids
	go_down kill_gateway || return
	kill -KILL "${ALL[@]}" 2>/dev/null
	later "$1" come_back
}

kill_supervisor() {
	all_pids
	go_down kill_supervisor || return
	kill -KILL "$GATEWAY"
	later "$1" come_back
}

drain_gateway() {
	all_pids
	go_down drain || return
	kill -TERM "$GATEWAY"
	come_back
}

# As a service manager does it: once all processes of the old one are gone.
come_back() {
	now_us
	LEFT_US=${LEFT_US:-$NOW}
	if any_alive "${ALL[@]}"; then
		if ((NOW - LEFT_US > 30000000 * TOLERANCE)); then
			violation left-behind "$(ps -o pid,args "${ALL[@]}" | tail -n +2)"
			kill -KILL "${ALL[@]}" 2>/dev/null
		fi
		later 20 come_back
		return
	fi
	LEFT_US=
	forget_processes
	mend "$DOWN"
	DOWN=
	cat "$DIR/gateway.log" >>"$DIR/gateways.log"
	exec {LOG}<&-
	start_gateway "${SETTINGS[@]}" PARLEY_LISTEN="127.0.0.1:$PORT" ||
		violation not-started "$(tail -n 3 "$DIR/gateway.log")"
	open_log
}

open_log() {
	exec {LOG}<"$DIR/gateway.log"
	LOG_PART=''
	follow
}

# What the old processes suffered has ended with them.
forget_processes() {
	local name id
	for name in "${!WAITS[@]}"; do
		for id in ${WAITS[$name]-} ${BUSY[$name]-}; do mend "$id"; done
	done
	for id in "${ROLLS[@]}"; do mend "$id"; done
	WAITS=() BUSY=() SEAT_PID=() SHORT=() DEATHS=() READY_US=() ROLLS=()
	LAST_ABORT_US=0 HANGING=0
}

# HUP onto the settings, or USR2 onto the program that there is now.
roll() { # roll ROW SIGNAL LASTS_MS
	[ ${#ROLLS[@]} = 0 ] && [ -z "${SCRIBBLED-}" ] || return 1
	begin "$1" "$3"
	ROLLS+=("$ID")
	kill "-$2" "$GATEWAY"
}

pause_machine() { # pause_machine MS: as one that was suspended; healthd goes on
	all_pids
	begin pause_machine
	kill -STOP "${ALL[@]}"
	later "$1" "wake_machine $ID ${ALL[*]}"
}
wake_machine() { # wake_machine ID PID...
	local id=$1
	shift
	mend "$id"
	kill -CONT "$@" 2>/dev/null || true
}

# Years there, and back again: whole days, so that times of the log stay what they are.
jump() { # jump YEARS MS
	[ -n "${WALL_CLOCK-}" ] && [ "$(<"$DIR/offset")" = 0 ] || return 1
	begin wall_clock
	set_wall_clock $(($1 * 365 * 86400))
	later "$2" "jump_back $ID"
}
jump_back() { # jump_back ID
	set_wall_clock 0
	mend "$1"
}

# ---- the store ----

kill_store() { # kill_store MS
	begin store_gone
	kill_postgres
	later "$1" "give_store_back $ID"
}
give_store_back() { # give_store_back ID
	mend "$1"
	start_postgres
	STORE_BUSY=
}

stop_store() { # stop_store ROW MS
	begin "$1"
	signal_postgres STOP
	later "$2" "let_store_go_on $ID"
}
let_store_go_on() { # let_store_go_on ID
	mend "$1"
	signal_postgres CONT
	STORE_BUSY=
}

# SQLite's file locked by somebody else.
lock_store() { # lock_store ROW MS
	begin "$1"
	"$PYTHON" -c '
import select, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=5)
db.execute("BEGIN IMMEDIATE")
select.select([], [], [], float(sys.argv[2]) / 1000)
db.execute("ROLLBACK")' "$STORE_FILE" "$2" >>"$DIR/harm.log" 2>&1 &
	later "$2" "unlock_store $ID $!"
}
unlock_store() { # unlock_store ID PID
	if alive "$2"; then
		later 20 "unlock_store $1 $2"
		return
	fi
	mend "$1"
	STORE_BUSY=
}

# The folder of SQLite's file is on a small file system of its own.
fill_disk() { # fill_disk MS
	begin disk_full
	dd if=/dev/zero of="$DISK/ballast" bs=64k 2>/dev/null
	later "$1" "empty_disk $ID"
}
empty_disk() { # empty_disk ID
	mend "$1"
	rm -f "$DISK/ballast"
	STORE_BUSY=
}

# ---- healthd ----

kill_health() { # kill_health MS
	[ -z "${HEALTHD_BUSY-}" ] || return 1
	HEALTHD_BUSY=1
	begin kill_healthd
	kill -KILL "$HEALTHD"
	later "$1" "health_back $ID"
}
health_back() { # health_back ID
	mend "$1"
	HEALTHD_BUSY=
	start_healthd "${SETTINGS[@]}" PARLEY_HEALTH_LISTEN="127.0.0.1:${HEALTH##*:}" ||
		violation not-started healthd
}

flood_health() { # flood_health MS: idle connections, and half requests, beyond what it holds
	begin flood_healthd
	"$PYTHON" - "${HEALTH##*:}" "$1" <<-'PYTHON' >>"$DIR/harm.log" 2>&1 &
		import select, socket, sys
		held = []
		for i in range(600):
		    try:
		        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)
		        if i % 2:
		            s.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
		        held.append(s)
		    except OSError:
		        pass
		select.select([], [], [], float(sys.argv[2]) / 1000)
	PYTHON
	later "$1" "mend $ID"
}

# ---- clients ----

# with_tool ROW MS COMMAND...: a fault that is what this process does; it is ended.
with_tool() {
	local row=$1 ms=$2
	shift 2
	begin "$row"
	"$@" <"$DIR/never" >>"$DIR/tools.log" 2>&1 &
	PIDS+=($!)
	later "$ms" "end_tool $ID $!"
}
end_tool() { # end_tool ID PID
	kill -KILL "$2" 2>/dev/null
	mend "$1"
}

garbage() { # to both ports
	local i port
	for i in {1..20}; do
		for port in "$PORT" "${HEALTH##*:}"; do
			head -c $((i * 211)) /dev/urandom >"/dev/tcp/127.0.0.1/$port"
		done
	done
}

# Clients that are there no more, and nobody tells the gateway: it finds out by itself.
half_open() { # half_open N MS
	begin half_open
	"$TOOLS/load" idle "$1" "127.0.0.1:$PORT" <"$DIR/never" >>"$DIR/tools.log" 2>&1 &
	PIDS+=($!)
	later 1500 "kill -STOP $! 2>>'$DIR/harm.log'"
	now_us
	later 3000 "check_half_open $ID $! $((NOW / 1000 + 1500 + (PING_MS * 2 + 3000) * TOLERANCE))"
}
check_half_open() { # check_half_open ID PID UNTIL_MS
	local n
	now_us
	n=$(ss -Htnp state established "dport = :$PORT" | grep -c "pid=$2,")
	if [ "$n" != 0 ] && ((NOW / 1000 < $3)); then
		later 300 "check_half_open $*"
		return
	fi
	[ "$n" = 0 ] || violation half-open "$n peers that are silent were not given up"
	end_tool "$1" "$2"
}
