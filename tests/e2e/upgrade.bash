# upgrade - a gateway whose file is replaced while it runs; beside lib.bash.

OTHERS=$ROOT/build/$MODE/others

# The gateway is started from a file of the test's own.
own_program() {
	PROGRAM=$DIR/parley-gateway
	install_program "${1:-$BIN/parley-gateway}"
	GATEWAY_BIN=$PROGRAM
}

# As a package manager does: a new file takes the name.
install_program() { # install_program FILE
	cp "$1" "$PROGRAM.new"
	mv "$PROGRAM.new" "$PROGRAM"
}

install_script() { # install_script TEXT
	printf '#!/bin/sh\n%s\n' "$1" >"$PROGRAM.new"
	chmod +x "$PROGRAM.new"
	mv "$PROGRAM.new" "$PROGRAM"
}

upgrade() { kill -USR2 "$GATEWAY"; }

logged() { # logged COUNT TEXT: so many lines of the gateway's log have it
	[ "$(grep -c "$2" "$DIR/gateway.log")" = "$1" ]
}

version_is() { # version_is VERSION: of the supervisor, and nobody of before is left
	websocket ".version == \"$1\" and .status == \"ok\" and (.workers | all(.state == \"serving\"))"
}

# Asks health again and again, until the file `probed` is removed.
prober() {
	touch "$DIR/probed"
	while [ -e "$DIR/probed" ]; do
		for path in /health /health/websocket /health/database /health/live /health/ready; do
			code "$path" || echo none
			echo
		done
		body /health/websocket | jq -r .status || true
	done >"$DIR/probes" 2>/dev/null &
	PROBER=$!
}

prober_says() { # prober_says ANSWERS...: it had nothing but these
	local said
	rm -f "$DIR/probed"
	wait "$PROBER" || true
	said=$(sort "$DIR/probes" | uniq -c)
	echo "$said"
	[ "$(wc -l <"$DIR/probes")" -gt 8 ]
	! grep -vxE "$(IFS='|'; echo "$*")" "$DIR/probes"
}
