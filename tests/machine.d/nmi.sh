#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a test machine with 2 CPUs: nmi.sh CYCLES.  NMIs come while CPUs are launched and
# leave: none is lost, and none meets half a state.  Prints TAP.
# Needs underpin.ko, nmi.ko (tests/nmi), tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

count() { cat /sys/module/nmi/parameters/count; }

# The NMI is still on its way.
alive() {
	before=$(count)
	sleep 0.05
	echo "$before, then $(count)"
	[ "$(count)" -gt "$before" ]
}

cycle() {
	n=0
	while [ $n -lt "$1" ]; do
		insmod underpin.ko && alive && rmmod underpin && alive || {
			echo "in cycle $n"
			return 1
		}
		n=$((n + 1))
	done
	# A handful in each would show nothing.
	root=$(dmesg | grep -c 'CPUs run on the layer now')
	echo "$(count) NMIs during $root launches"
	[ "$(count)" -gt $(($1 * 1000)) ]
}

insmod nmi.ko
check 'an NMI goes to and fro between the CPUs (the control)' alive
check "none is lost while all CPUs are launched and leave $1 times" cycle "$1"
count >&2
rmmod nmi
check 'nothing in the kernel log, as with NMIs' quiet_dmesg
finish_tap
