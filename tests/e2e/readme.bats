# What README says is so: its endpoints answer as its table has it, what it shows is what
# comes, its commands run, and `make run` does what it promises.
#
# A block ```sh try is run here: line by line, on the ports of this test; a comment below a
# command is what it answers: JSON of the same shape, or a line with other numbers. The other
# blocks are tried elsewhere.

load lib
setup() { setup_daemons; }
teardown() { teardown_daemons; }

between() { # between NAME: the lines between <!-- NAME --> and <!-- /NAME -->
	sed -n "/^<!-- $1 -->\$/,/^<!-- \/$1 -->\$/p" "$ROOT/README.md" | sed '1d;$d'
}
block() { # block FENCE N: the Nth block that begins so
	awk -v fence="\`\`\`$1" -v n="$2" '$0 == fence { on = ++seen == n; next } /^```/ { on = 0 } on' \
		"$ROOT/README.md" | sed "s/localhost:3000/${HEALTH#http://}/g; s/localhost:8080/127.0.0.1:$PORT/g"
}
blocks() { # blocks FENCE: how many there are
	grep -cx "\`\`\`$1" "$ROOT/README.md"
}
shape() { # of JSON: the name and type of everything in it
	jq -c '[paths as $p | [($p | map(if type == "number" then 0 else . end)), (getpath($p) | type)]] | unique'
}
same_shape() { # same_shape WANTED GOT
	diff <(shape <<<"$1") <(shape <<<"$2") || {
		echo "wanted $1"
		echo "got    $2"
		return 1
	}
}
paths() { # paths COLUMN-PATTERN: of the rows of the table whose last column is like this
	between endpoints | grep -E "\\|$1\\|\$" | sed 's/^| \([^|]*\) |.*/\1/' | grep -o '`[^`]*`' | tr -d '`'
}

is_answered() { # is_answered PATH: with 200; a stream has no end, so that how it begins is enough
	if [ "$1" = /events ]; then
		[ "$(curl -s -m 1 -o /dev/null -w '%{http_code}' "$HEALTH$1" || true)" = 200 ]
	else
		code_is "$1" 200
	fi
}

@test "readme: every endpoint answers 200 of a gateway that is well" {
	start_both
	local path
	for path in $(between endpoints | sed 's/^| \([^|]*\) |.*/\1/' | grep -o '`/[^`]*`' | tr -d '`'); do
		is_answered "$path"
		[ "$(curl -sS -m 5 -I -o /dev/null -w '%{http_code}' "$HEALTH$path")" = 200 ]
		[ "$(curl -sS -m 5 -X POST -o "$DIR/answer" -w '%{http_code}' "$HEALTH$path")" = 405 ]
		jq -e . "$DIR/answer"
	done
	[ "$(curl -sS -m 5 -o "$DIR/answer" -w '%{http_code}' "$HEALTH/nowhere")" = 404 ]
	jq -e . "$DIR/answer"
}

@test "readme: every endpoint that may say 503 does so without a gateway, the others do not" {
	start_healthd PARLEY_HEALTH_START_GRACE_MS=0
	local path n=0
	for path in $(paths ' [^|]+ ' | sort -u); do
		await 1000 code_is "$path" 503
		n=$((n + 1))
	done
	[ "$n" -gt 7 ]
	for path in $(paths ' '); do
		is_answered "$path"
		n=$((n + 1))
	done
	[ "$n" = "$(between endpoints | sed 's/^| \([^|]*\) |.*/\1/' | grep -o '`/[^`]*`' | wc -l)" ]
}

typed_curl() { # as README has it; its code is kept
	STATUS=$(curl -sS -m 20 -w '%{http_code}' -o "$DIR/said" "$@")
}

answers() { # answers "# [CODE] {...}": so did the last command
	local wanted=${1#\# } code=200
	if [[ $wanted =~ ^([0-9]{3})\ (.*) ]]; then
		code=${BASH_REMATCH[1]} wanted=${BASH_REMATCH[2]}
	fi
	[ "$STATUS" = "$code" ] || {
		echo "wanted $code, got $STATUS $(<"$DIR/said")"
		return 1
	}
	same_shape "$wanted" "$(<"$DIR/said")"
}

says() { # says LINE: did the last command, with whatever numbers
	local any='s/[0-9][0-9.]*/N/g'
	grep -qxF -- "$(sed "$any" <<<"$1")" <(sed "$any" "$DIR/said") || {
		echo "wanted $1"
		cat "$DIR/said"
		return 1
	}
}

try() { # try LINE: one of a block
	local line
	case $1 in
	*--check) eval "$1" ;;
	'') ;;
	'# '[0-9][0-9][0-9]\ \{* | '# {'*) answers "$1" ;;
	'# '*) says "${1#\# }" ;;
	curl\ *) eval "typed_$1" ;;
	# It stays in the foreground of whoever types it.
	parley-gateway\ *)
		read -ra line <<<"${1#* }"
		start_gateway_with "${line[@]}"
		;;
	*) eval "$1" >"$DIR/said" ;;
	esac
}
start_gateway_with() { # start_gateway_with FLAG...: in place of the one that runs
	kill -TERM "$GATEWAY" || true # a block may have drained it
	await 5000 gone "$GATEWAY"
	"$GATEWAY_BIN" "$@" --listen "127.0.0.1:$PORT" >"$DIR/gateway-2.log" 2>&1 3>&- &
	GATEWAY=$!
	PIDS+=("$GATEWAY")
	await 5000 grep -q 'gateway ready' "$DIR/gateway-2.log"
	# Somebody is in the room of the examples.
	client ann
	say '{"op":"join","room":"lobby","ref":1}'
	await 2000 grep -q '"op":"joined"' "$OUT"
}

@test "readme: its commands run and answer what it says" {
	local n=0 line lines
	[ "$(grep -c '^```sh' "$ROOT/README.md")" = $(($(blocks 'sh try') + $(blocks sh))) ]
	[ "$(blocks sh)" = 3 ] # make run, below; make install, in systemd_units; make chaos, in chaos
	start_both PARLEY_DRAIN_SPREAD_MS=1500
	clients 20
	export PATH=$BIN:$PATH
	mkdir "$DIR/here"
	cd "$DIR/here"
	while [ "$n" -lt "$(blocks 'sh try')" ]; do
		n=$((n + 1))
		mapfile -t lines < <(block 'sh try' "$n")
		for line in "${lines[@]}"; do
			try "$line" || {
				echo "README, block $n: $line"
				return 1
			}
		done
	done
	[ "$n" -gt 3 ]
}

@test "readme: the JSON that it shows is of the shape that comes" {
	start_both PARLEY_CANARY_INTERVAL_MS=1000
	await 2000 health /health/database '.lastOk != null and .latencyMs != null'
	same_shape "$(block json 1)" "$(body /health/database)"
	await 5000 health /health '.components.canary.status == "ok"'
	same_shape "$(block json 2)" "$(body /health | jq .components.canary)"
}

@test "readme: the client of its example connects, sends and receives" {
	command -v node >/dev/null || skip "there is no node"
	start_both
	cp "$ROOT/gateway/web/parley.js" "$DIR/parley.js"
	block js 1 >"$DIR/example.mjs"
	[ -s "$DIR/example.mjs" ]
	echo "globalThis.WebSocket ??= require('/usr/share/nodejs/ws');" >"$DIR/before.cjs"
	node -r "$DIR/before.cjs" "$DIR/example.mjs" >"$DIR/example.log" 2>&1 3>&- &
	PIDS+=($!)
	await 5000 grep -q "^1 ann .*hello" "$DIR/example.log"
}

@test "readme: make run starts both, names their addresses, and Ctrl-C stops them" {
	[ "$MODE" = release ] || skip "make run makes a release"
	local copy=$DIR/copy url urls
	mkdir -p "$copy/build/release"
	(cd "$ROOT" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents -t "$copy")
	cp -a "$ROOT/build/release/obj" "$ROOT/build/release/bin" "$copy/build/release/"
	cp -a "$ROOT/build/web" "$copy/build/"
	PORT=$(free_port)
	env --default-signal=INT -u PARLEY_STORE -u MAKEFLAGS PARLEY_LISTEN="127.0.0.1:$PORT" \
		PARLEY_HEALTH_LISTEN="127.0.0.1:$(free_port)" setsid make -C "$copy" run >"$DIR/run.log" 2>&1 3>&- &
	local run=$!
	PIDS+=("$run")
	await 20000 grep -q 'gateway ready' "$DIR/run.log"
	await 5000 grep -q 'healthd listening' "$DIR/run.log"
	grep -q '^Parley is starting. Ctrl-C stops it.' "$DIR/run.log"
	mapfile -t urls < <(grep -oE '^  [a-z]+ +http://[^ ]+' "$DIR/run.log" | grep -oE 'http.*')
	[ "${#urls[@]}" -ge 3 ]
	for url in "${urls[@]}"; do
		typed_curl "$url"
		[ "$STATUS" = 200 ]
	done
	grep -q '<title>' <(curl -sS "${urls[0]}")
	[ -s "$copy/build/run/parley.db" ]
	# To all of the terminal's foreground, as a terminal does.
	kill -INT -- "-$run"
	await 10000 gone "$run"
	[ -z "$(pgrep -g "$run")" ]
}

free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
