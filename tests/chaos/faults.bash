# faults - which faults are under way, and what the gateway's log says of their end; what
# tests/chaos/ordeal and tests/chaos/table share.
#
# Sourced after tests/e2e/lib.bash, before tests/chaos/harm.bash. Nothing here waits while other faults are under way,
# but for a store that starts: what is to come is put into a list (`later`), and the
# gateway's log tells what has been mended (`follow`). `begin` tells a fault *before* it
# is done, `mend` its end before it is repaired.

declare -A OPEN=()     # ID: row, of the faults that last
declare -A SEAT_PID=() # seat, or `sequencer`: pid
declare -A READY_US=() # the same: since when
declare -A SHORT=()    # the same: short lives in a row
declare -A DEATHS=()   # the same: times of its deaths
declare -A WAITS=()    # the same: IDs of faults that its next process ends
declare -A BUSY=()     # the same: the ID of the fault that it suffers
declare -A DONE=()     # row: how many there were
DUE_US=() DUE=()       # what is to be done, and when
FAULTS=0 DOWN='' LOG_PART='' LAST_ABORT_US=0 HANGING=0
ROLLS=()

now_us() { # sets NOW
	NOW=${EPOCHREALTIME/[.,]/}
}

rest() { # a moment, without a child process
	read -rt 0.02 -u "$NEVER" || true
}

later() { # later MS COMMAND...
	now_us
	DUE_US+=($((NOW + $1 * 1000)))
	shift
	DUE+=("$*")
}

run_due() {
	local i what
	now_us
	for i in "${!DUE[@]}"; do
		if ((DUE_US[i] <= NOW)); then
			what=${DUE[i]}
			unset "DUE[i]" "DUE_US[i]"
			eval "$what"
		fi
	done
}

note() { # note TEXT...
	printf '%s %s\n' "$EPOCHREALTIME" "$*" >>"$DIR/harm.log"
}

begin() { # begin ROW [LASTS_MS]: sets ID
	ID=f$((++FAULTS))
	OPEN[$ID]=$1
	DONE[$1]=$((${DONE[$1]-0} + 1))
	now_us
	echo "begin $ID $1 $NOW ${2-}" >&"$PROBER"
	note "begin $ID $*"
}

done_at() { # done_at ID US: what took a while to do was done then
	echo "done $1 $2" >&"$PROBER"
}

mend() { # mend ID [US]
	[ -n "${OPEN[$1]-}" ] || return 0
	now_us
	echo "end $1 ${2:-$NOW}" >&"$PROBER"
	note "end $1 ${OPEN[$1]}"
	unset "OPEN[$1]"
}

# ---- what the gateway's log tells ----

log_us() { # log_us LINE: sets AT to the line's own time
	local at=${1:11:12} day
	now_us
	day=$((NOW / 86400000000 * 86400000000))
	AT=$((day + (10#${at:0:2} * 3600 + 10#${at:3:2} * 60 + 10#${at:6:2}) * 1000000 + \
		10#${at:9:3} * 1000))
	((AT - NOW < 43200000000)) || AT=$((AT - 86400000000))
}

field() { # field LINE NAME: sets VALUE
	VALUE=${1#* "$2"=}
	VALUE=${VALUE%% *}
}

arrived() { # arrived NAME LINE: a process is ready to serve there
	local id
	log_us "$2"
	field "$2" pid
	SEAT_PID[$1]=$VALUE
	READY_US[$1]=$AT
	for id in ${WAITS[$1]-}; do
		mend "$id" "$AT"
	done
	WAITS[$1]=''
	[ -z "${BUSY[$1]-}" ] || BUSY[$1]=''
}

died() { # died NAME LINE
	field "$2" lived_ms
	[ "$VALUE" -lt 5000 ] || SHORT[$1]=0
	SHORT[$1]=$((${SHORT[$1]-0} + 1))
	now_us
	DEATHS[$1]+=" $NOW"
}

heard_line() {
	local id name
	field "$1" seat
	name=$VALUE
	[[ $1 != *' gateway: sequencer '* ]] || name=sequencer
	case $1 in
	*' gateway: '*' ready seat='*) arrived "$name" "$1" ;;
	*' gateway: '*' died '*) died "$name" "$1" ;;
	*' gateway: '*' aborted '*)
		log_us "$1"
		LAST_ABORT_US=$AT
		((HANGING == 0)) || HANGING=$((HANGING - 1))
		;;
	*'gateway reloaded'*)
		log_us "$1"
		for id in "${ROLLS[@]}"; do mend "$id" "$AT"; done
		ROLLS=()
		;;
	esac
}

follow() { # reads what is new in the log
	local line
	while IFS= read -r -u "$LOG" line; do
		heard_line "$LOG_PART$line"
		LOG_PART=''
	done
	LOG_PART+=$line
}

turn() {
	run_due
	follow
	rest
}

turn_until() { # turn_until MS COMMAND...: until it succeeds; fails after so long (x TOLERANCE)
	local until
	now_us
	until=$((NOW + $1 * TOLERANCE * 1000))
	shift
	until "$@"; do
		turn
		now_us
		((NOW < until)) || return 1
	done
}

# ---- who may be harmed ----

alive() { # alive PID: and no zombie
	local stat
	{ IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	[ "${stat:0:1}" != Z ] && [ "${stat:0:1}" != X ]
}

fit() { # fit NAME: it is there, and nothing is wrong with it
	[ -z "${BUSY[$1]-}" ] && [ -z "${WAITS[$1]-}" ] && [ -n "${SEAT_PID[$1]-}" ] &&
		alive "${SEAT_PID[$1]}"
}

# A process may die four times a minute: a fifth is a crash loop, and rightly waits long.
may_die() { # may_die NAME
	local at kept=''
	fit "$1" && [ -z "${SCRIBBLED-}" ] || return 1
	now_us
	for at in ${DEATHS[$1]-}; do
		((NOW - at > 65000000)) || kept+=" $at"
	done
	DEATHS[$1]=$kept
	set -- $kept
	[ $# -lt 4 ]
}

# The back-off of its next start, by gateway/supervisor/backoff.h; sets DELAY.
delay_of() { # delay_of NAME
	local short=${SHORT[$1]-0}
	now_us
	((NOW - ${READY_US[$1]-0} < 5000000)) || short=0
	DELAY=0
	((short == 0)) || DELAY=$((100 << (short - 1)))
}

# One abort in 30 s: whoever hangs meanwhile waits for his; sets WAIT.
wait_of_abort() {
	now_us
	WAIT=$((30500 - (NOW - LAST_ABORT_US) / 1000))
	((WAIT > 0)) || WAIT=0
	WAIT=$((WAIT + HANGING * 31000))
}

nobody_waits() { # for a new process
	local name
	for name in "${!WAITS[@]}"; do
		[ -z "${WAITS[$name]}" ] || return 1
	done
}

others_well() { # others_well SEAT: at least one more worker serves
	local seat
	for ((seat = 0; seat < WORKERS; seat++)); do
		[ "$seat" = "$1" ] || ! fit "$seat" || return 0
	done
	return 1
}

suffer() { # suffer NAME ROW [LASTS_MS]: the fault lasts until its next process is ready
	begin "$2" "${3-}"
	BUSY[$1]=$ID
	WAITS[$1]=$ID
}
