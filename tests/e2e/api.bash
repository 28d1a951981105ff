# api - backends for the end-to-end tests: keys, requests, and a record of what was used.

KEY=0123456789abcdef0123456789abcdef
OTHER=fedcba9876543210fedcba9876543210
DESCRIPTION=$ROOT/gateway/api/openapi.json

# keys LINE...: what the key file has from now on.
keys() {
	(umask 077 && printf '%s\n' "$@" >"$DIR/keys.new" && mv "$DIR/keys.new" "$DIR/keys")
}

# start_api [NAME=VALUE...]: a gateway with the API, and the key `shop`.
start_api() {
	[ -e "$DIR/keys" ] || keys "shop:$KEY"
	start_both PARLEY_API_KEY_FILE="$DIR/keys" PARLEY_LOG_LEVEL=debug "$@"
}

# api METHOD PATH [CURL-OPTION...]: sets STATUS, HEAD (a file) and BODY, and notes what was
# used, with the room's name taken out of the path. AUTH= for none.
api() {
	local method=$1 path=$2 curl=(curl -sS -m 20 -X "$1" -o "$DIR/answer" -D "$DIR/head" -w '%{http_code}')
	shift 2
	HEAD=$DIR/head
	STATUS=$("${curl[@]}" -H "Authorization: ${AUTH-Bearer $KEY}" "http://127.0.0.1:$PORT$path" "$@")
	BODY=$(<"$DIR/answer")
	note "$method" "$path" "$STATUS" "$BODY"
}

note() { # note METHOD PATH STATUS BODY
	local place
	place=$(sed -E 's|\?.*||; s|^(/api/rooms/)[^/]*|\1{room}|' <<<"$2")
	jq -nc '$ARGS.positional | {method: .[0], path: .[1], status: .[2], body: (.[3] | fromjson)}' \
		--args "${1,,}" "$place" "$3" "$4" >>"${USED:-/dev/null}"
}

# is STATUS [JQ-CONDITION]: the last answer
is() {
	[ "$STATUS" = "$1" ] && jq -e "${2:-true}" <<<"$BODY" >/dev/null || {
		echo "not $*: $STATUS $BODY"
		return 1
	}
}

# becomes MS STATUS METHOD PATH [CURL-OPTION...]: asked again until it is answered so.
becomes() {
	asked() { api "${@:2}" && is "$1"; }
	await "$1" asked "${@:2}"
}

post() { # post ROOM ID [BODY]: in the name of the key
	api POST "/api/rooms/$1/messages" -d "{\"id\":\"$2\",\"body\":${3:-0}}"
}

# talk TEXT...: lines on a connection of its own, whose answers go to $DIR/talk; TALK is its
# descriptor.
talk() {
	exec {TALK}<>"/dev/tcp/127.0.0.1/$PORT"
	printf '%s\r\n' "$@" >&"$TALK"
}
