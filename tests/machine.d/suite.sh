# SPDX-License-Identifier: GPL-2.0
# For suites that run checks in the machine: '. tests/machine.d/suite.sh' after
# tests/lib/tap.sh.
# shellcheck shell=sh disable=SC2154  # tap_work comes from there

tests/lib/build -f tests/machine.d/tools.mk >&2 || exit 1

# inside NAME MACHINE-ARGUMENT... -- COMMAND: runs a command that prints TAP, and
# joins its checks to the suite's own.  It must come to its end.
inside() {
	inside_name=$1
	shift
	inside_status=0
	tests/machine -q --copy tests/lib/tap.sh "$@" >"$tap_work/inside" 2>"$tap_work/words" ||
		inside_status=$?
	sed 's/^/# /' "$tap_work/words"
	join_tap "$tap_work/inside"
	check "$inside_name: it came to its end" \
		sh -c "[ $inside_status = 0 ] && grep -q '^1\.\.[0-9]' '$tap_work/inside'"
}
