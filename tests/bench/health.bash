# health - healthd beside nginx, which answers the same bytes without looking at anything.
#
# `tests/bench/run health`. The server has the first processor, who asks the second, but
# where both are kept busy by a gateway: there everybody may have either. Medians of five.

start_nginx() {
	is_there nginx || return 1
	PEER_PORT=$(free_port)
	cat >"$DIR/nginx.conf" <<-END
		worker_processes 1;
		daemon off;
		pid $DIR/nginx.pid;
		error_log $DIR/nginx.log;
		events { worker_connections 1024; }
		http {
			access_log off;
			keepalive_requests 1000000000;
			client_body_temp_path $DIR/body; proxy_temp_path $DIR/proxy; fastcgi_temp_path $DIR/fastcgi;
			uwsgi_temp_path $DIR/uwsgi; scgi_temp_path $DIR/scgi;
			server {
				listen 127.0.0.1:$PEER_PORT;
				location /health/websocket {
					default_type application/json;
					return 200 '$(body /health/websocket)';
				}
			}
		}
	END
	start_nginx_itself
	PEER=$(pgrep -P "$PEER")
}

# ask_both TITLE REQUESTS CONNECTIONS COMMAND...: five times by turns; a row of medians each.
ask_both() {
	local title=$1 requests=$2 connections=$3 name port i line
	shift 3
	: >"$DIR/asked"
	for i in 1 2 3 4 5; do
		for name in healthd nginx; do
			port=${HEALTH##*:}
			[ "$name" = healthd ] || port=$PEER_PORT
			line=$("$@" "$TOOLS/probes" "$port" /health/websocket "$requests" "$connections")
			echo "$name $line" >>"$DIR/asked"
		done
	done
	for name in healthd nginx; do
		echo "| $title | $name | $(asked_median "$name" rps) | $(asked_median "$name" p50_us) | $(asked_median "$name" p99_us) | $(grep "^$name" "$DIR/asked" | sed 's/.*failed=\([0-9]*\).*/\1/' | sort -n | tail -1) |"
	done
}
asked_median() { # asked_median NAME FIGURE
	grep "^$1" "$DIR/asked" | sed -n "s/.*\b$2=\([0-9.]*\).*/\1/p" | median
}

bench_health() {
	local before loads i
	source "$ROOT/tests/bench/peers/start.bash"
	echo "# health: healthd, and nginx that returns the same bytes"
	setup_daemons
	start_both PARLEY_HEALTH_REQUESTS_MAX=1000000 PARLEY_WORKERS=2
	start_nginx || {
		teardown_daemons
		return
	}
	taskset -cp 0 "$HEALTHD" >/dev/null
	taskset -cp 0 "$PEER" >/dev/null
	before=$(pss_kib "$HEALTHD")
	echo "| | | requests/s | p50 us | p99 us | failed |"
	echo "|---|---|---|---|---|---|"
	ask_both "idle machine, 64 connections" 200000 64 taskset -c 1
	ask_both "idle machine, 16 connections" 200000 16 taskset -c 1
	ask_both "idle machine, 1 connection" 20000 1 taskset -c 1
	loads=()
	taskset -cp 0,1 "$HEALTHD" >/dev/null
	taskset -cp 0,1 "$PEER" >/dev/null
	for i in 1 2; do
		"$TOOLS/load" room 500 1000000 64 --room "busy$i" "127.0.0.1:$PORT" >/dev/null 2>&1 &
		loads+=($!)
	done
	PIDS+=("${loads[@]}")
	await 5000 websocket '.connections.active > 900'
	ask_both "gateway saturates both processors, 1 connection" 3000 1
	echo "healthd PSS before=$before KiB after=$(pss_kib "$HEALTHD") KiB"
	teardown_daemons
	DIR=/nonexistent
}
