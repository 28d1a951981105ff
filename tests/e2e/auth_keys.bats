# Keys are rotated with HUP; a bad file is told and harms nobody.

load lib
load auth
setup() { setup_daemons; }
teardown() { teardown_daemons; }

claims='{"sub":"ann","exp":"+600"}'

jwk() { # jwk KID: the secret in $DIR/key as a JWK
	echo "{\"kty\":\"oct\",\"kid\":\"$1\",\"k\":\"$(cut -d: -f2 "$DIR/key" | tr '+/' '-_' | tr -d '=')\"}"
}

jwks() { # jwks JWK...: $DIR/jwks holds these
	local IFS=,
	(umask 077 && echo "{\"keys\":[$*]}" >"$DIR/jwks.new" && mv "$DIR/jwks.new" "$DIR/jwks")
}

rolled() { [ "$(grep -c 'gateway reloaded' "$DIR/gateway.log")" = "$1" ]; }
is() { [ "$(status '' "Authorization: Bearer $2")" = "$1" ]; }

@test "a key is rotated with HUP, and whoever is in by a revoked one must leave" {
	local first old new
	secret "$DIR/key"
	first=$(jwk one) old=$(token "$claims" '{"kid":"one"}')
	secret "$DIR/key"
	new=$(token "$claims" '{"kid":"two"}')
	jwks "$first"
	start_jwt PARLEY_JWT_KEY_FILE="$DIR/jwks"
	bearer "$old"
	local ann=$OUT
	is 401 "$new"

	jwks "$first" "$(jwk two)"
	is 401 "$new" # nobody has been told to look yet
	kill -HUP "$GATEWAY"
	await 8000 rolled 1
	is 101 "$old"
	is 101 "$new"
	await 2000 grep -q '^#close 1001' "$ann" # its worker was replaced: it comes again

	jwks "$(jwk two)"
	kill -HUP "$GATEWAY"
	await 8000 rolled 2
	is 401 "$old"
	is 101 "$new"
}

@test "a bad file on HUP is refused with a sentence; new workers keep the old keys" {
	start_jwt
	local t first
	t=$(token "$claims") first=$(worker_pid 0)
	bearer "$t"
	echo 'HS256:c2hvcnQ=' >"$DIR/key"
	kill -HUP "$GATEWAY"
	await 2000 grep -q 'reload refused.*PARLEY_JWT_KEY_FILE.*32' "$DIR/gateway.log"
	! grep -q c2hvcnQ "$DIR/gateway.log" || false
	[ "$(worker_pid 0)" = "$first" ]
	rm "$DIR/key"
	kill -KILL "$first"
	await 5000 websocket '.status == "ok" and .restarts == 1'
	local i
	for i in 1 2 3 4 5 6; do is 101 "$t"; done
}

@test "a key file that does not serve stops the start, and --check says so" {
	export PARLEY_AUTH=jwt PARLEY_JWT_KEY_FILE=$DIR/key
	run "$BIN/parley-gateway" --check
	[ "$status" = 78 ] && [[ $output == *"PARLEY_JWT_KEY_FILE"*"No such file"* ]]
	secret "$DIR/key"
	"$BIN/parley-gateway" --check
	"$BIN/parley-gateway" --check --listen 0.0.0.0:8080
	chmod o+r "$DIR/key"
	run "$BIN/parley-gateway"
	[ "$status" = 78 ] && [ "${#lines[@]}" = 1 ] && [[ $output == *"chmod o-r"* ]]
	run "$BIN/parley-gateway" --jwt-key-file=
	[ "$status" = 78 ] && [[ $output == *"PARLEY_JWT_KEY_FILE"* ]]
}

@test "who may connect is no matter of a reload" {
	secret "$DIR/key"
	printf 'PARLEY_AUTH=jwt\nPARLEY_JWT_KEY_FILE=%s\n' "$DIR/key" >"$DIR/conf"
	start_both PARLEY_CONFIG="$DIR/conf"
	echo PARLEY_JWT_KEY_FILE="$DIR/key" >"$DIR/conf"
	kill -HUP "$GATEWAY"
	await 8000 rolled 1
	grep -q 'needs a restart.*PARLEY_AUTH' "$DIR/gateway.log"
	[ "$(status '?user=eve')" = 401 ]
}
