# harm_segment - what can be done to the segment. Sourced by tests/chaos/harm.bash.

delete_segment() {
	local inode
	inode=$(stat -c %i "/dev/shm/$SEGMENT") || return 1
	begin segment_deleted
	rm "/dev/shm/$SEGMENT"
	later 5 "await_segment $ID $inode $NOW"
}
await_segment() { # await_segment ID INODE SINCE_US
	if [ -e "/dev/shm/$SEGMENT" ]; then
		[ -n "$DOWN" ] || [ "$(stat -c %i "/dev/shm/$SEGMENT")" = "$2" ] ||
			violation segment "another one was put back"
		mend "$1"
		return
	fi
	now_us
	if ((NOW - $3 > 1000000 * TOLERANCE)) && [ -z "$DOWN" ]; then
		violation segment "not put back in $((1000 * TOLERANCE)) ms"
		mend "$1"
		return
	fi
	later 20 "await_segment $1 $2 $3"
}

# What was done to a segment ends with that, when another gateway has made a new one; a
# tear also when the supervisor has written there since. Then it was so last at SEEN_US.
watch_harm() { # watch_harm IS_HARMED REPAIR ID INODE UNTIL_US SEEN_US
	local now inode
	now_us
	now=$NOW
	inode=$(stat -c %i "/dev/shm/$SEGMENT" 2>/dev/null)
	if [ -n "$inode" ] && { [ "$inode" != "$4" ] || ! "$1"; }; then
		SCRIBBLED=
		mend "$3" "$6"
	elif [ -n "$inode" ] && ((now >= $5)); then
		SCRIBBLED=
		mend "$3"
		"$2"
	else
		later 20 "watch_harm $1 $2 $3 $4 $5 $now"
	fi
}

# A part of what never changes is overwritten, and later as it was. Meanwhile no worker can
# start: it is not done while one is about to.
scribble() { # scribble MS
	local file=/dev/shm/$SEGMENT
	[ -z "${SCRIBBLED-}" ] && [ ${#ROLLS[@]} = 0 ] && nobody_waits || return 1
	SCRIBBLED=1
	dd if="$file" of="$DIR/segment.part" bs=8 skip=2 count=5 status=none || return 1
	begin segment_scribbled
	dd if=/dev/urandom of="$file" bs=8 seek=2 count=5 conv=notrunc status=none
	watch_harm true unscribble "$ID" "$(stat -c %i "$file")" $((NOW + $1 * 1000)) "$NOW"
}
unscribble() {
	dd if="$DIR/segment.part" of="/dev/shm/$SEGMENT" bs=8 seek=2 count=5 conv=notrunc status=none
}

# As if the supervisor never ended what it began to write.
tear() { # tear MS
	[ -z "${SCRIBBLED-}" ] || return 1
	SCRIBBLED=1
	local at
	begin segment_torn
	at=$("$TOOLS/tear" "$GATEWAY" "/dev/shm/$SEGMENT" 2>>"$DIR/harm.log") && done_at "$ID" "$at"
	watch_harm is_torn untear "$ID" "$(stat -c %i "/dev/shm/$SEGMENT")" $((NOW + $1 * 1000)) "$NOW"
}
is_torn() {
	"$TOOLS/tear" -q "/dev/shm/$SEGMENT" 2>>"$DIR/harm.log"
}
untear() {
	"$TOOLS/tear" -m "$GATEWAY" "/dev/shm/$SEGMENT" 2>>"$DIR/harm.log" || true
}

# Half of it is gone: who writes there dies of it, and only a new gateway helps.
cut_segment() { # cut_segment MS
	all_pids
	go_down segment_cut || return
	truncate -s $(($(stat -c %s "/dev/shm/$SEGMENT") / 2)) "/dev/shm/$SEGMENT"
	later "$1" end_all
}
end_all() {
	local more=("${ALL[@]}")
	! alive "$GATEWAY" || all_pids
	ALL+=("${more[@]}")
	kill -KILL "${ALL[@]}" 2>/dev/null
	come_back
}
