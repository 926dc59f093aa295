# SPDX-License-Identifier: GPL-2.0-only
# TAP for suites in shell: '. tests/lib/tap.sh', checks, and finish_tap last.
# shellcheck shell=sh

tap_count=0
tap_work=$(mktemp -d)
trap 'rm -rf "$tap_work"' EXIT

# check NAME COMMAND...: passes when the command succeeds; else shows its output.
check() {
	tap_name=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@" >"$tap_work/check" 2>&1; then
		echo "ok $tap_count - $tap_name"
	else
		sed 's/^/# /' "$tap_work/check"
		echo "not ok $tap_count - $tap_name"
	fi
}

# skip NAME WHY
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# join_tap FILE: TAP of another program, its checks counted on; what is none is a comment.
join_tap() {
	awk -v n="$tap_count" '
	/^1\.\.[0-9]/ { next }
	/^(not )?ok [0-9]/ { sub(/ok [0-9]+/, "ok " ++n); print; next }
	{ sub(/^[^#]/, "# &"); print }' "$1"
	tap_count=$((tap_count + $(grep -Ec '^(not )?ok [0-9]' "$1")))
}

finish_tap() {
	echo "1..$tap_count"
}

# same EXPECTED ACTUAL
same() {
	[ "$1" = "$2" ] || {
		printf 'expected: %s\nbut was:  %s\n' "$1" "$2"
		return 1
	}
}

# has FILE PATTERN: some line of FILE matches the extended regular expression.
has() {
	grep -Eq -e "$2" "$1" || {
		echo "no line matches: $2"
		tail -n 40 "$1"
		return 1
	}
}

lacks() {
	if grep -Eq -e "$2" "$1"; then
		grep -En -e "$2" "$1"
		return 1
	fi
}

# until_true SECONDS COMMAND...: polls.
until_true() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# figure NAME: of /sys/kernel/underpin/frames
figure() {
	awk -v name="$1" '$1 == name { print $2 }' /sys/kernel/underpin/frames
}
