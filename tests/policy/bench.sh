#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make bench-policy": tab-separated rows, the same policies and requests for all.
set -eu
OUT=${OUT:-$PWD/build/policy}
B=$OUT/bench
HERE=$PWD
mkdir -p "$B"
command -v npm > /dev/null || COMPARE=0	# no casbin and no Cedar without node and npm
if [ "${COMPARE:-1}" = 1 ] && [ ! -d "$B/node_modules/casbin" ]; then
	(cd "$B" && [ -f package.json ] || (cd "$B" && npm init -y > /dev/null 2>&1)
	cd "$B" && npm install --silent --no-audit --no-fund casbin@5.51.1 @cedar-policy/cedar-wasm@4.13.0 >&2)
fi
printf 'engine\trules\tp50_us\tp99_us\tload_ms\trss_mib\n'
for rules in 1100 11000 110000; do
	"$OUT/policy-bench" gen $rules "$B/$rules"
	"$OUT/policy-bench" run "$B/$rules"
	[ "${COMPARE:-1}" = 1 ] || continue
	# Engines that take milliseconds a decision are asked fewer times.
	n=2000 c=2000; [ $rules = 11000 ] && n=500; [ $rules = 110000 ] && n=100 c=300
	(cd "$B" && node "$HERE/tests/policy/bench.cjs" casbin "$B/$rules" $n)
	(cd "$B" && node "$HERE/tests/policy/bench.cjs" cedar "$B/$rules" $c)
done
for rules in 1100 110000; do
	valgrind --tool=callgrind --callgrind-out-file="$B/cg.$rules" --toggle-collect=decide \
		"$OUT/policy-bench" count "$B/$rules" > /dev/null 2>&1
	ir=$(sed -n 's/^summary: *\([0-9]*\).*/\1/p;s/^totals: *\([0-9]*\).*/\1/p' "$B/cg.$rules" | head -1)
	echo "# instructions per decision at $rules rules: $((ir / 2000))"
done
