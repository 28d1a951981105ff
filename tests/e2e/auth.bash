# auth - tokens for the end-to-end tests, and handshakes with them.

# secret FILE: a new secret for HS256.
secret() {
	(umask 077 && echo "HS256:$(head -c 32 /dev/urandom | base64)" >"$1")
}

# token CLAIMS [HEADER]: signed with the secret in $DIR/key; see make_token.py.
token() {
	"$PYTHON" "$ROOT/tests/e2e/make_token.py" "HS256:$DIR/key" "$@"
}

# start_jwt [NAME=VALUE...]: a gateway that asks for tokens by the secret in $DIR/key.
start_jwt() {
	[ -e "$DIR/key" ] || secret "$DIR/key"
	start_both PARLEY_AUTH=jwt PARLEY_JWT_KEY_FILE="$DIR/key" PARLEY_JWT_LEEWAY_S=0 \
		PARLEY_LOG_LEVEL=debug "$@"
}

# handshake QUERY [HEADER...]: the whole answer, without its date.
handshake() {
	local line socket status
	exec {socket}<>"/dev/tcp/127.0.0.1/$PORT"
	{
		printf '%s\r\n' "GET /chat$1 HTTP/1.1" 'Host: h' 'Connection: Upgrade' 'Upgrade: websocket' \
			'Sec-WebSocket-Version: 13' 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "${@:2}" ''
	} >&"$socket"
	while read -r line <&"$socket"; do
		line=${line%$'\r'}
		: "${status:=${line#* }}"
		[[ $line == Date:* ]] || echo "$line"
		[ -n "$line" ] || break
	done
	[[ $status == 101* ]] || cat <&"$socket"
	exec {socket}>&-
}

status() { # status QUERY [HEADER...]: its status code
	handshake "$@" | sed -n '1s/HTTP.1.1 \([0-9]*\).*/\1/p'
}

# bearer TOKEN: a client with this token; sets IN, OUT, CLIENT like `client`.
bearer() {
	local fifo=$DIR/client-$((++CLIENTS)).in
	OUT=$DIR/client-$CLIENTS.out
	mkfifo "$fifo"
	"$TOOLS/wsclient" --header "Authorization: Bearer $1" \
		"ws://127.0.0.1:$PORT/chat" <"$fifo" >"$OUT" 2>&1 &
	CLIENT=$!
	PIDS+=("$CLIENT")
	exec {IN}>"$fifo"
	await 3000 grep -q '"op":"welcome"' "$OUT"
}
