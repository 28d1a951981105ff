#!/usr/bin/env bash
# postgres - a PostgreSQL of our own for tests: a private cluster in a folder, reached by a
# socket in it and by nothing else, as durable as any (fsync and all).
#
#   postgres.bash start DIR         makes the cluster if need be, starts it, prints its URL
#   postgres.bash signal DIR NAME   to all of its processes at once
#   postgres.bash kill DIR          as a power cut would; returns when they are gone
#   postgres.bash stop DIR          ends it and removes the folder
#   postgres.bash sql DIR SQL [DATABASE]
#   postgres.bash installed         whether there is a server at all
#
# Exit code 77: no server is installed. Root runs it as the user postgres, anybody else as
# himself. Can be sourced for its functions, too.

postgres_bin() {
	local dir
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) \
		"$(pg_config --bindir 2>/dev/null)"; do
		if [ -x "$dir/initdb" ]; then
			echo "$dir"
			return 0
		fi
	done
	return 77
}

postgres_as_owner() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
	else
		"$@"
	fi
}

# The server's process and its children, by what the cluster itself wrote down.
postgres_pids() { # postgres_pids DIR
	local main
	main=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) || return 0
	echo "$main $(pgrep -P "$main" | tr '\n' ' ')"
}

postgres_start() { # postgres_start DIR
	local bin
	bin=$(postgres_bin) || return 77
	if [ ! -d "$1/data" ]; then
		mkdir -p "$1"
		[ "$(id -u)" != 0 ] || chown postgres:postgres "$1"
		postgres_as_owner "$bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 \
			--locale=C --no-sync --no-instructions >"$1/initdb.log" || return 1
	fi
	postgres_as_owner "$bin/pg_ctl" -D "$1/data" -l "$1/server.log" -w -t 30 -s \
		-o "-c listen_addresses= -c unix_socket_directories=$1 -c unix_socket_permissions=0777" \
		start >&2 || return 1
	echo "postgresql://postgres@/postgres?host=$1"
}

postgres_signal() { # postgres_signal DIR NAME
	local pids
	read -ra pids < <(postgres_pids "$1")
	[ ${#pids[@]} = 0 ] || kill -s "$2" "${pids[@]}" 2>/dev/null || true
}

postgres_kill() { # postgres_kill DIR
	local pids pid
	read -ra pids < <(postgres_pids "$1")
	[ ${#pids[@]} != 0 ] || return 0
	kill -KILL "${pids[@]}" 2>/dev/null || true
	for pid in "${pids[@]}"; do
		while kill -0 "$pid" 2>/dev/null && [ "$(ps -o stat= -p "$pid" | cut -c1)" != Z ]; do
			read -rt 0.01 <> <(:) || true
		done
	done
	# Dead processes that nobody has buried yet would look like a running server.
	rm -f "$1/data/postmaster.pid" "$1"/.s.PGSQL.*
}

postgres_stop() { # postgres_stop DIR
	postgres_signal "$1" CONT
	postgres_kill "$1"
	rm -rf "$1"
}

postgres_sql() { # postgres_sql DIR SQL [DATABASE]
	"$(postgres_bin)/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$1" -U postgres \
		-d "${3:-postgres}" -c "$2"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	what=$1
	shift
	case $what in
	start | signal | kill | stop | sql) "postgres_$what" "$@" ;;
	installed) postgres_bin >/dev/null ;;
	*)
		sed -n 's/^#   //p' "$0" >&2
		exit 2
		;;
	esac
fi
