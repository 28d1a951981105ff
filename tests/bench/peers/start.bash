# start - the servers that Parley is measured against, each on a free port of loopback.
#
# start_peer NAME: sets PEER (its pid), PEER_PORT, PEER_DIALECT (as tests/tools/load has
# it). Needs DIR and PIDS as tests/e2e/lib.bash has them. Returns 1 when it is not
# installed, in words. PEERS is the list of names; `bare` is our own yardstick.

PEERS=(bare ws socketio nchan nats mosquitto)
PEERS_DIR=$ROOT/tests/bench/peers
NODE_PEERS=$ROOT/build/bench/peers

free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# peer_runs COMMAND...: in the background, on the first processor.
peer_runs() {
	taskset -c 0 "$@" >"$DIR/peer.log" 2>&1 </dev/null &
	PEER=$!
	PIDS+=("$PEER")
}

peer_says_its_port() {
	await 5000 grep -q '^port=' "$DIR/peer.log"
	PEER_PORT=$(sed -n 's/^port=//p' "$DIR/peer.log")
}

peer_listens() {
	await 5000 eval "exec 3<>/dev/tcp/127.0.0.1/$PEER_PORT"
}

is_there() {
	[ -x "$(PATH=$PATH:/usr/sbin command -v "$1")" ] || {
		echo "$1 is not installed"
		return 1
	}
}

start_bare() {
	peer_runs "$bench/bare_epoll" 0
	peer_says_its_port
}

start_node() { # start_node FILE
	[ -d "$NODE_PEERS/node_modules" ] || {
		echo "npm's packages are not there"
		return 1
	}
	peer_runs env NODE_PATH="$NODE_PEERS/node_modules" node "$PEERS_DIR/$1"
	peer_says_its_port
}

start_ws() { start_node ws.js; }
start_socketio() { PEER_DIALECT=socketio && start_node socketio.js; }

start_nchan() {
	is_there nginx && [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || return 1
	PEER_DIALECT=nchan PEER_PORT=$(free_port)
	cat >"$DIR/nginx.conf" <<-END
		load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
		worker_processes 1;
		daemon off;
		pid $DIR/nginx.pid;
		error_log $DIR/nginx.log;
		worker_rlimit_nofile 65536;
		events { worker_connections 32768; }
		http {
			access_log off;
			client_body_temp_path $DIR/body; proxy_temp_path $DIR/proxy; fastcgi_temp_path $DIR/fastcgi;
			uwsgi_temp_path $DIR/uwsgi; scgi_temp_path $DIR/scgi;
			nchan_max_reserved_memory 512m;
			server {
				listen 127.0.0.1:$PEER_PORT backlog=4096;
				location = /room {
					nchan_pubsub websocket;
					nchan_channel_id \$arg_id;
					nchan_message_buffer_length 10000;
				}
			}
		}
	END
	start_nginx_itself
}

# Its worker would outlive it.
start_nginx_itself() {
	peer_runs /usr/sbin/nginx -p "$DIR" -c "$DIR/nginx.conf"
	peer_listens
	await 2000 pgrep -P "$PEER"
	PIDS+=("$(pgrep -P "$PEER")")
}

start_nats() {
	is_there nats-server || return 1
	PEER_DIALECT=nats PEER_PORT=$(free_port)
	cat >"$DIR/nats.conf" <<-END
		host: 127.0.0.1
		port: -1
		max_connections: 65536
		websocket { host: 127.0.0.1, port: $PEER_PORT, no_tls: true }
	END
	peer_runs "$(PATH=$PATH:/usr/sbin command -v nats-server)" -c "$DIR/nats.conf"
	peer_listens
}

start_mosquitto() {
	is_there mosquitto || return 1
	PEER_DIALECT=mqtt PEER_PORT=$(free_port)
	cat >"$DIR/mosquitto.conf" <<-END
		listener $PEER_PORT 127.0.0.1
		allow_anonymous true
		persistence false
		max_queued_messages 0
		set_tcp_nodelay true
		log_type error
		user root
	END
	peer_runs "$(PATH=$PATH:/usr/sbin command -v mosquitto)" -c "$DIR/mosquitto.conf"
	peer_listens
}

start_peer() {
	PEER_DIALECT=parley
	"start_$1"
}
