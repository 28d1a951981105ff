# systemd_box - a systemd of our own for tests: no download, the host's /usr read-only.
#
# box_start DIR boots it from DIR, in which etc/systemd/system and opt are filled
# already; box CMD... runs inside; box_stop ends it. Needs root and systemd-nspawn.
# Loopback is shared with the host, so clients connect from outside.

box_possible() {
	[ "$(id -u)" = 0 ] && command -v systemd-nspawn >/dev/null &&
		[ -x /lib/systemd/systemd ] && mountpoint -q /sys/fs/cgroup
}

box_start() {
	local i link
	BOX=$1
	mkdir -p "$BOX"/{usr,etc/systemd/system,var,run,tmp,proc,sys,dev,root,opt}
	for link in bin sbin lib lib32 lib64; do
		[ -L /$link ] && ln -sfn usr/$link "$BOX/$link"
	done
	cp -L /etc/os-release /etc/passwd /etc/group /etc/nsswitch.conf "$BOX/etc/"
	: >"$BOX/etc/machine-id"
	# With cgroup v1 a unit whose processes are all killed at once sits in stop-sigterm
	# until TimeoutStopSec.
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q --register=no --keep-unit -D "$BOX" \
		--bind-ro=/usr --boot --console=pipe systemd.unit=basic.target \
		</dev/null >"$BOX.log" 2>&1 3>&- &
	BOX_NSPAWN=$!
	for ((i = 0; i < 1500; i++)); do
		kill -0 "$BOX_NSPAWN" 2>/dev/null || break
		BOX_INIT=$(pgrep -P "$BOX_NSPAWN" | head -1)
		[ -n "$BOX_INIT" ] && box systemctl is-system-running 2>/dev/null |
			grep -Eq 'running|degraded' && return 0
		pause
	done
	cat "$BOX.log" >&2
	return 1
}

box() { nsenter -t "$BOX_INIT" -m -p -u -i -- "$@"; }

box_stop() {
	[ -n "${BOX_NSPAWN:-}" ] || return 0
	box systemctl poweroff 2>/dev/null || true
	local i
	for ((i = 0; i < 600; i++)); do
		kill -0 "$BOX_NSPAWN" 2>/dev/null || break
		pause
	done
	kill -9 "$BOX_NSPAWN" 2>/dev/null || true
	wait "$BOX_NSPAWN" 2>/dev/null || true
}
