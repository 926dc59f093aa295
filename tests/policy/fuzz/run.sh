#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the fuzzers two at a time, FUZZ_SECONDS each (10), from small seeds; the last,
# of the smallest parser, which would be alone, a third of that.
set -u
OUT=${OUT:-$PWD/build/policy}
SECONDS_EACH=${FUZZ_SECONDS:-10}
TARGETS="sheet image message ticket jwt zone definition"
seed() {
	local d=$OUT/fuzz/corpus/$1
	mkdir -p "$d"
	case $1 in
	sheet) cp tests/policy/clouds/east/*.xml "$d" ;;
	image) "$OUT/underpin-policy" compile tests/policy/clouds/west -O "$d/west" > /dev/null
		"$OUT/underpin-policy" compile tests/policy/fuzz/seed-policy -O "$d/small" > /dev/null ;;
	message) printf '%s' '{"v":1,"id":"00000000000000000000000000000001","issued":1,"deadline_ms":1,"action":"a","resource":"r","attributes":{"request.x":"y"},"path":[{"cloud":"c","layer":"l"}],"sla":"s","sla_role":"r"}' > "$d/request"
		printf '%s' '{"v":1,"id":"00000000000000000000000000000001","verdict":"deny","cloud":"c","layer":"l","module":"m","code":"x","trace":[["c","l","m","deny","x","t"]]}' > "$d/answer" ;;
	ticket) "$OUT/fuzz/seed-ticket" > "$d/good" ;;
	jwt) printf '%s' '1{"iss":"i","sub":"s","aud":["a"],"exp":2000,"nbf":1,"groups":["x","y"],"n":3}' > "$d/claims"
		printf '%s' '0eyJhbGciOiJFZERTQSJ9.e30.AAAA' > "$d/raw" ;;
	zone) cp /usr/share/zoneinfo/{Europe/Berlin,America/St_Johns,Asia/Kolkata} "$d" ;;
	definition) echo "<domain type='kvm'><name>v</name><uuid>00000000-0000-4000-8000-000000000001</uuid></domain>" > "$d/good" ;;
	esac
}
n=0 bad=0
seconds() { [ "$1" = definition ] && echo $((SECONDS_EACH / 3)) || echo "$SECONDS_EACH"; }
one() { "$OUT/fuzz/$1" -max_total_time="$(seconds "$1")" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
	-artifact_prefix="$OUT/fuzz/crash-$1-" "$OUT/fuzz/corpus/$1" > "$OUT/fuzz/$1.log" 2>&1; }
set -- $TARGETS
while [ $# -gt 0 ]; do
	a=$1 b=${2:-}
	shift; [ -z "$b" ] || shift
	seed "$a"; one "$a" & pa=$!
	[ -z "$b" ] || { seed "$b"; one "$b" & pb=$!; }
	for t in $a $b; do
		p=$pa; [ "$t" = "$b" ] && p=$pb
		n=$((n + 1))
		runs=
		if wait "$p"; then
			runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$OUT/fuzz/$t.log")
			echo "ok $n - fuzz $t: $runs runs in $(seconds "$t") s"
		else
			bad=1
			echo "not ok $n - fuzz $t"
			grep -aE "ERROR|SUMMARY|artifact" "$OUT/fuzz/$t.log" | head -5 | sed 's/^/# /'
		fi
	done
done
echo "1..$n"
exit $bad
