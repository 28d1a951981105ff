# tls - certificates of the test's own, and clients that trust them.

# certificate NAME DAYS: $DIR/NAME.crt and .key, for localhost, good for so long.
certificate() {
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$2" \
		-subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
		-keyout "$DIR/$1.key" -out "$DIR/$1.crt" 2>/dev/null)
}

# install_certificate NAME: to where the gateway looks.
install_certificate() {
	cp "$DIR/$1.crt" "$DIR/cert.pem"
	(umask 077 && cp "$DIR/$1.key" "$DIR/key.pem")
}

use_tls() { # use_tls NAME: for gateways that are started after this
	install_certificate "$1"
	export PARLEY_TLS_CERT_FILE=$DIR/cert.pem PARLEY_TLS_KEY_FILE=$DIR/key.pem
}

shown() { # shown NAME: new connections see this certificate
	local i
	for i in 1 2 3 4 5 6; do
		curl -sS -m 5 --cacert "$DIR/$1.crt" -o /dev/null "https://localhost:$PORT/" || return
	done
}

# tls_client USER CA: as `client`, over TLS.
tls_client() {
	local fifo=$DIR/client-$((++CLIENTS)).in
	OUT=$DIR/client-$CLIENTS.log
	mkfifo "$fifo"
	"$PYTHON" "$ROOT/tests/e2e/tls_client.py" "$PORT" "$1" "$DIR/$2.crt" <"$fifo" >"$OUT" 2>&1 &
	CLIENT=$!
	PIDS+=("$CLIENT")
	exec {IN}>"$fifo"
	await 5000 grep -q '"op":"welcome"' "$OUT"
}
