# audit - counts held against the kernel's, and what processes take of the machine.
#
# Sourced after tests/chaos/harm.bash. A sample is a line in $DIR/samples:
# `SECONDS ROLE PID DESCRIPTORS ANONYMOUS_KIB PSS_KIB RSS_KIB`; the descriptors of a
# worker are those that are not its clients'. tests/chaos/slopes judges the samples.

# Established sockets on the gateway's port, its side, but for healthd's canaries, which are
# counted apart.
count_kernel() { # sets KERNEL
	local theirs
	theirs=$(ss -Htnp state established "dport = :$PORT" | grep -c "pid=$HEALTHD,")
	KERNEL=$(($(ss -Htn state established "sport = :$PORT" | wc -l) - theirs))
}

count_health() { # sets COUNTED: active, and what is being closed and opened
	COUNTED=$(body '/health/websocket?verbose' |
		jq -r '[.connections.active, .closing, .handshaking] | join(" ")')
}

counts_agree() { # counts_agree CLIENTS
	count_kernel
	count_health
	[ "$KERNEL" = "$1" ] && [ "$COUNTED" = "$1 0 0" ]
}

sample_one() { # sample_one SECONDS ROLE PID LINKS
	local fds
	fds=("/proc/$3/fd/"*)
	awk -v head="$1 $2 $3 $((${#fds[@]} - $4))" '
		/^Rss:/ { rss = $2 } /^Pss:/ { pss = $2 } /^Anonymous:/ { anonymous = $2 }
		END { if (rss) print head, anonymous, pss, rss }' "/proc/$3/smaps_rollup" 2>/dev/null
}

sample() { # sample SECONDS: every process of the pair, at rest
	local seat sockets name
	sockets=$(ss -Htnp state established "sport = :$PORT")
	sample_one "$1" supervisor "$GATEWAY" 0
	sample_one "$1" healthd "$HEALTHD" "$(ss -Htnp | grep -c "pid=$HEALTHD,")"
	for name in "${!SEAT_PID[@]}"; do
		seat=worker
		[ "$name" != sequencer ] || seat=sequencer
		sample_one "$1" "$seat" "${SEAT_PID[$name]}" \
			"$(grep -c "pid=${SEAT_PID[$name]}," <<<"$sockets")"
	done
}
