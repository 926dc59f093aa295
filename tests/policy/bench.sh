#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make bench-policy": tab-separated rows, the same policies and requests for all.
# Of Underpin's the middle one, by its median, of RUNS runs (5), and what is aimed at.
# ROWS=aims: only rows with an aim, Underpin's alone, without instructions.
set -eu
OUT=${OUT:-$PWD/build/policy}
B=$OUT/bench
HERE=$PWD
mkdir -p "$B"
. tests/policy/aim.sh
all="1100 10000 110000"
[ "${ROWS:-all}" = all ] || { all="10000 110000" COMPARE=0; }
declare -A p50=([10000]=0.400 [110000]=1.5) p99=([110000]=3.5)
command -v npm > /dev/null || COMPARE=0	# no casbin and no Cedar without node and npm
if [ "${COMPARE:-1}" = 1 ] && [ ! -d "$B/node_modules/casbin" ]; then
	(cd "$B" && [ -f package.json ] || (cd "$B" && npm init -y > /dev/null 2>&1)
	cd "$B" && npm install --silent --no-audit --no-fund casbin@5.51.1 @cedar-policy/cedar-wasm@4.13.0 >&2)
fi
printf 'engine\trules\tp50_us\tp99_us\tload_ms\trss_mib\taim\n'
for rules in $all; do
	"$OUT/policy-bench" gen $rules "$B/$rules"
	row=$(for _ in $(seq "${RUNS:-5}"); do "$OUT/policy-bench" run "$B/$rules" 2> /dev/null; done |
		sort -t "$(printf '\t')" -k 3 -g | sed -n "$((${RUNS:-5} / 2 + 1))p")
	printf '%s\t%s %s\n' "$row" "$(aim p50 "$(cut -f 3 <<< "$row")" "${p50[$rules]:-}")" \
		"$(aim p99 "$(cut -f 4 <<< "$row")" "${p99[$rules]:-}")"
	[ "${COMPARE:-1}" = 1 ] || continue
	# Engines that take milliseconds a decision are asked fewer times.
	n=2000 c=2000; [ $rules = 10000 ] && n=500; [ $rules = 110000 ] && n=100 c=300
	(cd "$B" && node "$HERE/tests/policy/bench.cjs" casbin "$B/$rules" $n)
	(cd "$B" && node "$HERE/tests/policy/bench.cjs" cedar "$B/$rules" $c)
done
[ "${ROWS:-all}" = all ] || exit 0
for rules in 1100 110000; do
	valgrind --tool=callgrind --callgrind-out-file="$B/cg.$rules" --toggle-collect=decide \
		"$OUT/policy-bench" count "$B/$rules" > /dev/null 2>&1
	ir=$(sed -n 's/^summary: *\([0-9]*\).*/\1/p;s/^totals: *\([0-9]*\).*/\1/p' "$B/cg.$rules" | head -1)
	echo "# instructions per decision at $rules rules: $((ir / 2000))"
done
