# metrics - scrapes, and what reads them: promtool (make promtool fetches it), and the
# parser of python3-prometheus-client for OpenMetrics.

PROMTOOL=$(command -v promtool || echo "$ROOT/build/prometheus/usr/bin/promtool")
RULES=$ROOT/healthd/prometheus/alerts.yaml

need_promtool() {
	[ -x "$PROMTOOL" ] || skip "no promtool: the package prometheus cannot be had"
}

scrape() { # scrape NAME: into $DIR/NAME.txt
	curl -sS -m 5 "$HEALTH/metrics" >"$DIR/$1.txt"
}

# Both forms are accepted by who reads them, without a word of criticism.
accepted() { # accepted NAME
	local said
	scrape "$1"
	said=$("$PROMTOOL" check metrics <"$DIR/$1.txt" 2>&1) || { echo "$1: $said" && return 1; }
	[ -z "$said" ] || { echo "$1: $said" && return 1; }
	curl -sS -m 5 -H 'Accept: application/openmetrics-text; version=1.0.0' \
		"$HEALTH/metrics" >"$DIR/$1.openmetrics"
	"$PYTHON" -c 'import prometheus_client' 2>/dev/null || return 0
	"$PYTHON" -c '
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
print(len(list(families(sys.stdin.read()))), "families")' <"$DIR/$1.openmetrics"
}

# The alert fires at some time in a quarter of an hour in which the first scrape is made
# for some minutes, and then the second.
fires() { # fires ALERT BEFORE DURING
	"$PYTHON" "$ROOT/tests/e2e/alert_series.py" "$RULES" "$1" "$DIR/$2.txt" "$DIR/$3.txt" \
		>"$DIR/fires.yaml" || return
	"$PROMTOOL" test rules "$DIR/fires.yaml"
}
