# audit - counts in the segment that are not true.

# count_of SEAT: where its count of active connections, the first of all, lies in the segment.
count_of() {
	local slot shape
	slot=$(body '/health/websocket?verbose' | jq ".workers[] | select(.seat == $1) | .slot")
	read -ra shape < <(od -An -w64 -tu4 -j72 -N64 "/dev/shm/$SEGMENT")
	echo $((shape[13] + slot * shape[14] + shape[15]))
}

# falsify SEAT N: makes it count N.
falsify() {
	printf "\\x$(printf %02x "$2")" |
		dd of="/dev/shm/$SEGMENT" bs=1 seek="$(count_of "$1")" conv=notrunc status=none
}
