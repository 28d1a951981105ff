# `make install` puts everything into place, with paths that are right there, and `make
# uninstall` takes away exactly that.

load lib
setup() {
	setup_daemons
	TREE=$DIR/tree
	mkdir -p "$TREE/opt/parley/bin" "$TREE/etc/systemd/system" "$TREE/etc/parley"
	echo other >"$TREE/opt/parley/bin/other"
	PLACE=(DESTDIR="$TREE" PREFIX=/opt/parley UNITDIR=/etc/systemd/system)
}
teardown() { teardown_daemons; }

in_tree() { # in_tree TARGET [NAME=VALUE...]
	make_in_turn "$1" "${PLACE[@]}" "${@:2}"
}
listing() {
	(cd "$TREE" && find . -printf '%y %m %p %l\n' | sort)
}

@test "install: uninstall removes exactly what install put" {
	listing >"$DIR/before"
	in_tree install
	[ "$(listing | wc -l)" -gt 30 ]
	in_tree uninstall
	diff "$DIR/before" <(listing)
}

@test "install: again over itself, and uninstall still removes all of it" {
	listing >"$DIR/before"
	in_tree install
	listing >"$DIR/once"
	in_tree install
	diff "$DIR/once" <(listing)
	in_tree uninstall
	diff "$DIR/before" <(listing)
}

@test "install: settings that were changed stay as they are" {
	in_tree install
	echo PARLEY_WORKERS=3 >"$TREE/etc/parley/gateway.env"
	in_tree install
	[ "$(<"$TREE/etc/parley/gateway.env")" = PARLEY_WORKERS=3 ]
	run in_tree uninstall
	[[ $output == *"kept, because it was changed: "*gateway.env ]]
	[ "$(<"$TREE/etc/parley/gateway.env")" = PARLEY_WORKERS=3 ]
	[ ! -e "$TREE/etc/parley/healthd.env" ]
}

@test "install: units, pages and settings name the places where things are" {
	in_tree install SYSCONFDIR=/etc/opt
	run grep -rE '/usr/(bin|share/doc)/parley|/etc/parley' "$TREE" --include=*.service \
		--include=parley*.[178] --include=*.env --include=parley.conf
	[ "$output" = "" ]
	local unit name
	for unit in gateway healthd; do
		read -r _ name < <(grep ^ExecStart= "$TREE/etc/systemd/system/parley-$unit.service")
		[ "$name" = "--config /etc/opt/parley/$unit.env" ]
		[ -x "$TREE$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$TREE/etc/systemd/system/parley-$unit.service")" ]
		[ -s "$TREE/etc/opt/parley/$unit.env" ]
	done
	# What the pages name under the documents is there.
	while read -r name; do
		[ -e "$TREE$name" ]
	done < <(grep -ohE '/opt/parley/share/doc/parley[A-Za-z/.]*[a-zA-Z]' "$TREE"/opt/parley/share/man/*/*)
}

@test "install: the example settings are the defaults" {
	in_tree install
	local program file
	unset "${!PARLEY_@}"
	for program in gateway healthd; do
		file=$TREE/etc/parley/$program.env
		"$TREE/opt/parley/bin/parley-$program" --config "$file" --check
		sed 's/^#PARLEY_/PARLEY_/' "$file" >"$DIR/all.env"
		diff <("$BIN/parley-$program" --print) <("$BIN/parley-$program" --config "$DIR/all.env" --print)
		diff <("$BIN/parley-$program" --print) <(grep ^PARLEY_ "$DIR/all.env")
	done
}
