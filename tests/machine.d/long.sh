#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: long.sh PART COUNT.  Prints TAP.  What a host does again and again
# beneath the layer, or with it, leaves no trace.
#	insmod		in and out, while an NMI goes to and fro between two CPUs
#	protect		small VMs protected, run and ended
#	migrate		vCPUs, protected and not, that change CPUs
#	hotplug		a CPU goes offline and comes back, beside a protected VM and another one
#	idle		COUNT seconds with a timer
# Needs underpin.ko, many (tests/machine.d/many.c), nmi.ko (tests/nmi), tiny-fw.bin,
# tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh
part=$1 count=$2

# no_leak COUNT: since 'before' no page was lost each time
no_leak() {
	now=$(free_kib)
	echo "$before KiB free, then $now KiB"
	[ $((before - now)) -le $((2 * $1 + 512)) ]
}

# frames_back: no VM has any, and the layer has a few more at most: the host's own table takes
# some where Linux first goes.
taken() { echo $(($(figure pool) - $(figure pool_free))); }
frames_back() {
	echo "vm $(figure vm); the layer had $taken, has $(taken)"
	[ "$(figure vm)" = 0 ] && [ "$(taken)" -le $((taken + 16)) ]
}

nmis() { cat /sys/module/nmi/parameters/count; }
in_and_out() {
	n=0
	while [ $n -lt "$1" ]; do
		seen=$(nmis)
		insmod underpin.ko && rmmod underpin && [ "$(nmis)" -gt "$seen" ] || {
			echo "in cycle $n; $seen NMIs, then $(nmis)"
			return 1
		}
		n=$((n + 1))
	done
	echo "$n times; $(nmis) NMIs"
}

layer_in() {
	insmod underpin.ko && modprobe kvm_intel || exit 1
	# What the first VM makes the layer and KVM keep
	./many protect 3 >/dev/null || exit 1
	before=$(free_kib)
	taken=$(taken)
}

layer_out() {
	check 'the frames are back' frames_back
	check 'no memory is lost' no_leak "$count"
	check 'rmmod' sh -c 'rmmod kvm_intel && rmmod underpin'
}

# did WORD COMMAND...: its first number is WORD
did() {
	word=$1
	shift
	said=$("$@") || return 1
	echo "$said"
	same "$word" "${said%% *}"
}

off_and_on() {
	n=0
	while [ $n -lt "$count" ]; do
		for state in 0 1; do
			echo $state >/sys/devices/system/cpu/cpu1/online || {
				echo "in cycle $n"
				return 1
			}
		done
		n=$((n + 1))
	done
}

# guest NAME [-p]: runs until the file "ended" is there
guest() {
	name=$1
	shift
	./many "$@" run ended >"$name.out" 2>&1 &
}
well() { wait "$1" && has "$2.out" '^[1-9][0-9]*$'; }

on_time() {
	said=$(./many timer "$1") || return 1
	echo "$said"
	same $((10 * $1)) "${said%% *}" && [ "${said##* }" -le 100000 ]
}

case $part in
insmod)
	insmod nmi.ko rest=200
	check 'before' in_and_out 5
	before=$(free_kib)
	check "$count times in and out, and no NMI is lost" in_and_out "$count"
	check 'no memory is lost' no_leak "$count"
	rmmod nmi
	;;
protect)
	layer_in
	check "$count VMs protected, run and ended" did "$count" ./many protect "$count"
	layer_out
	;;
migrate)
	layer_in
	check "a protected VM's vCPU changes CPUs $count times" did "$count" ./many -p migrate "$count"
	check "an ordinary one's, too" did "$count" ./many migrate "$count"
	layer_out
	;;
hotplug)
	layer_in
	guest protected -p
	first=$!
	guest ordinary
	second=$!
	check "a CPU goes and comes $count times" off_and_on
	touch ended
	check 'a protected VM was well all the while' well $first protected
	check 'an ordinary one, too' well $second ordinary
	check 'all CPUs are on the layer' same 2 "$(awk '$2 == 1' /sys/kernel/underpin/cpus | wc -l)"
	layer_out
	;;
idle)
	layer_in
	check "$count seconds: each deadline is met within its period" on_time "$count"
	layer_out
	;;
esac
check 'nothing in the kernel log' quiet_dmesg
finish_tap
