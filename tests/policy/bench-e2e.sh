#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make bench-policy", second part: type-2 requests through three daemons over
# TLS on loopback, connections kept; each provision and each release is one
# request. First, what this machine asks for what requests are made of. Each row
# is measured after as long a run that is not counted: connections are made and
# caches warm. CPU is each daemon's own, by its accounting in the kernel; the aim is for
# each of the three. ROWS=aims: only the row that has one.
set -eu
. tests/policy/world.sh
. tests/policy/aim.sh
W=$(mktemp -d)
trap 'world_down; rm -rf "$W"' EXIT
N=32
ns() { echo "$TAG-lo"; }
net_up() {
	local c l
	ip netns add "$TAG-lo"
	ip -n "$TAG-lo" link set lo up
	for c in east west; do for l in $LAYERS; do
		ip -n "$TAG-lo" addr add "$(addr $c $l)/32" dev lo
	done; done
}
load() { # THREADS SECONDS
	ip netns exec "$TAG-lo" "$OUT/policy-load" \
		"https://$(addr east application):8443/v1/request" "$W/alice.pem" "$W/alice.key" \
		"$W/east-ca.pem" "$1" "$2" bench-app-
}
[ "${ROWS:-all}" = all ] || CLIENTS=8
world_make "$W"
gen() { # PREFIX TYPE
	echo '<resources xmlns="urn:underpin:policy:1">'
	for i in $(seq $N); do echo "<instance name=\"$1$i\" type=\"$2\"/>"; done
	echo '</resources>'
}
gen bench-app- app > "$W/policy-east/zz1.xml"
gen bench-env- env > "$W/policy-east/zz2.xml"
gen bench-vm- vm > "$W/policy-east/zz3.xml"
for i in $(seq $N); do
	entry bench-app-$i lower bench-env-$i >> "$W/east-application.tsv"
	entry bench-env-$i lower bench-vm-$i >> "$W/east-platform.tsv"
	device east bench-vm-$i h9 >> "$W/east-infrastructure.tsv"
done
host "$W" east h9 $(seq -f 'bench-vm-%g' $N)
world_up "$W"
cpu() { awk '{print ($14 + $15) * 10000}' "/proc/${PID[east-$1]}/stat"; }	# microseconds
rss() { awk '/VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/${PID[east-$1]}/status"; }
"$OUT/policy-cost"
printf 'threads\tgrants\trequests_per_s\tp50_us\tp99_us\tcpu_us_app\tcpu_us_platform\tcpu_us_infra\trss_mib_app\trss_mib_platform\trss_mib_infra\taim\n'
for t in ${CLIENTS:-1 4 8 32}; do
	load $t "${SECONDS_EACH:-8}" > /dev/null
	declare -A c0=()
	for l in $LAYERS; do c0[$l]=$(cpu $l); done
	read -r grants rps p50 p99 < <(load $t "${SECONDS_EACH:-8}")
	printf '%s\t%s\t%s\t%s\t%s' $t $grants $rps $p50 $p99
	most=0
	for l in $LAYERS; do
		us=$((($(cpu $l) - c0[$l]) / (grants * 2)))
		printf '\t%s' $us
		[ $us -le $most ] || most=$us
	done
	for l in $LAYERS; do printf '\t%s' "$(rss $l)"; done
	limit=; [ $t != 8 ] || limit=300
	printf '\t%s\n' "$(aim cpu_us $most $limit)"
done
