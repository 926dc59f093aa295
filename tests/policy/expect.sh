# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the suites of programs that end by themselves share. ONLY names one test, for which
# alone something is run.

# shellcheck disable=SC2034  # the suite ends with it
n=0 bad=0
of() { printf "$1%.0s" $(seq "$2"); }	# a text, N times
wanted() { [ -z "${ONLY:-}" ] || [ "$ONLY" = "$1" ]; }	# NAME
expect() { # NAME CODE PATTERN COMMAND...
	local name=$1 code=$2 pattern=$3 out got
	wanted "$name" || return 0
	shift 3
	out=$("$@" 2>&1); got=$?
	n=$((n + 1))
	if [ $got = "$code" ] && grep -qE -- "$pattern" <<< "$out"; then echo "ok $n - $name"; else
		bad=1; echo "not ok $n - $name"; echo "exit $got, not $code, or no '$pattern' in: $out" | head -12 | sed 's/^/# /'; fi
}
