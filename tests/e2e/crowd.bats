# What `tests/bench/run crowd` shows with 200,000 links, in short: all in one room and each
# in one of ten, over several workers and load processes.
# alone

load lib

@test "a crowd: nobody dropped, counts true throughout, all delivered, a worker killed and everybody back" {
	run bash -c "ulimit -n 1300; CROWD=600 CROWD_HOLD=6 CROWD_EVERY=500 CROWD_SMALL=2 '$ROOT/tests/bench/run' crowd"
	echo "$output"
	grep -q '^in: links=600 workers=3 load_processes=4 ' <<<"$output"
	grep -qE '^large: messages=[1-9][0-9]* .* small: rounds=[1-9]' <<<"$output"
	grep -qE '^held: links=600 gone=0 odd_health=0 deliveries=[1-9][0-9]* lost=0 repeated=0 again=[0-9]+ errors=0$' <<<"$output"
	grep -qE '^a worker killed: gone=[1-9].* lost=0 repeated=0 errors=0$' <<<"$output"
	grep -qE '^health: \["ok",\{"active":600,"total":[0-9]+\}\] audit_drift=0$' <<<"$output"
}
