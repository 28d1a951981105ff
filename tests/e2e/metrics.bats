# What healthd exposes is what scrapers read without complaint, in every state; and what the
# dashboard, the alerts and the README name is there.

load lib
load metrics
load tls
setup() { setup_daemons; }
teardown() { teardown_daemons; }

@test "metrics: promtool and OpenMetrics' parser accept them idle, loaded, draining and gone" {
	need_promtool
	start_both PARLEY_DRAIN_SPREAD_MS=15000
	accepted idle
	"$TOOLS/load" sends 5 1 4 "127.0.0.1:$PORT" >"$DIR/load.log"
	clients 20
	scrape loaded
	accepted loaded
	kill -TERM "$GATEWAY"
	draining() { scrape draining && grep -q '^parley_drain_remaining_connections ' "$DIR/draining.txt"; }
	await 5000 draining
	accepted draining
	kill -KILL "$GATEWAY"
	await 2000 code_is /health/live 503
	accepted gone
	! grep '^parley_drain_remaining' "$DIR/gone.txt" || false
}

@test "metrics: times of sends, commits, handshakes and loops are told in seconds" {
	start_both
	"$TOOLS/load" sends 5 1 1 "127.0.0.1:$PORT" >"$DIR/load.log"
	scrape loaded
	"$PYTHON" - "$DIR/loaded.txt" "$(sed -n 's/.*acked=\([0-9]*\) .*/\1/p' "$DIR/load.log")" \
		"$(sed -n 's/.*p50_us=\([0-9]*\) .*/\1/p' "$DIR/load.log")" <<-'END'
		import sys
		seen = dict(line.rsplit(' ', 1) for line in open(sys.argv[1]) if line[0] != '#')
		def of(name):
		    n, total = (float(seen[f'parley_{name}_seconds_{part}']) for part in ('count', 'sum'))
		    return n, total / n
		acked, p50 = int(sys.argv[2]), int(sys.argv[3]) / 1e6
		n, mean = of('send_to_ack')
		print('acked', acked, n, 'median outside', p50, 'mean inside', mean)
		assert acked <= n <= acked + 20 and p50 / 10 < mean < p50 * 10
		n, mean = of('send_to_deliver')
		assert n >= acked and mean < 1
		assert of('store_commit')[0] <= acked + 20 and of('store_commit')[1] < 1
		assert of('handshake')[0] >= 1 and of('handshake')[1] < 1
		assert of('loop_lag')[0] > 10 and of('loop_lag')[1] < 0.5
	END
}

# All metrics that there can be: under load, in a drain, with a certificate.
every_metric() {
	local name
	start_both PARLEY_DRAIN_SPREAD_MS=15000
	clients 5
	scrape a
	kill -TERM "$GATEWAY"
	draining() { scrape b && grep -q '^parley_drain_remaining_connections ' "$DIR/b.txt"; }
	await 5000 draining
	kill -KILL "$GATEWAY"
	certificate its 100
	use_tls its
	start_gateway
	serves_tls() { scrape c && grep -q '^parley_tls_certificate_expiry_seconds' "$DIR/c.txt"; }
	await 3000 serves_tls
	sed -nE 's/^([a-z_]+).*/\1/p' "$DIR"/[abc].txt | sort -u >"$DIR/names"
	echo up >>"$DIR/names" # the scraper's own
}

named() { # named FILE: the metrics that it names
	grep -oE '\b(parley|process)_[a-z_]+' "$1" | grep -vE '^parley_(gateway|healthd|stat|probe)$' | sort -u
}

@test "metrics: whatever dashboard, alerts and README name is there, and queries are valid" {
	local file name bad=0
	every_metric
	for file in healthd/prometheus/dashboard.json healthd/prometheus/alerts.yaml README.md; do
		while read -r name; do
			# A family by its beginning, or all of a histogram by its name.
			grep -qE "^${name}(_count)?\$" "$DIR/names" ||
				{ [[ $name = *_ ]] && grep -q "^$name" "$DIR/names"; } ||
				{ echo "$file names $name, which there is not" && bad=1; }
		done < <(named "$ROOT/$file")
	done
	[ $bad = 0 ]
	need_promtool
	"$PYTHON" - "$ROOT/healthd/prometheus/dashboard.json" >"$DIR/queries.yaml" <<-'END'
		import json, sys
		board = json.load(open(sys.argv[1]))
		asked = [target['expr'] for panel in board['panels'] for target in panel.get('targets', ())]
		asked += [note['expr'] for note in board['annotations']['list']]
		ids = [panel['id'] for panel in board['panels']]
		assert len(asked) > 50 and len(set(ids)) == len(ids)
		assert all(panel.get('description') for panel in board['panels'] if panel['type'] != 'row')
		asked = [expr.replace('$__rate_interval', '5m').replace('$instance', '.*') for expr in asked]
		rules = [{'record': f'asked:{i}', 'expr': expr} for i, expr in enumerate(asked)]
		json.dump({'groups': [{'name': 'asked', 'rules': rules}]}, sys.stdout)
	END
	"$PROMTOOL" check rules "$DIR/queries.yaml"
}
