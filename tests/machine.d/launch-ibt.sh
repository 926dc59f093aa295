#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine, whose kernel has indirect-branch tracking on.  Prints TAP.
# Needs underpin.ko and stray.ko for that kernel, underpin, tiny, look, tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

# tracked: who branches to a place without ENDBR64 is ended by the kernel.
tracked() {
	insmod stray.ko
	dmesg >log
	has log 'Missing ENDBR: stray_target'
}

# S_CET among them.
view_is_the_same() {
	./look cpu >view.now
	diff view.before view.now
}

offline_online() {
	echo 0 >/sys/devices/system/cpu/cpu1/online || return 1
	echo 1 >/sys/devices/system/cpu/cpu1/online || return 1
	taskset -c 1 true && same 2 "$(awk '$2 == 1' /sys/kernel/underpin/cpus | wc -l)"
}

dmesg >log
check 'the host has indirect-branch tracking on' has log 'Indirect Branch Tracking enabled'
mark
modprobe msr
./look cpu >view.before
check 'and S_CET says so' has view.before '^cpu 1 msr 000006a2 0*4$'
check 'insmod' insmod underpin.ko
check 'CPUID and MSRs look as before' view_is_the_same
check 'kvm_intel' modprobe kvm_intel
check 'a tiny guest runs' ./tiny -n 100 -r 1
check 'kvm_intel goes' modprobe -r kvm_intel
check 'a CPU goes offline and comes back, demoted' offline_online
check 'rmmod' rmmod underpin
check 'nothing is left' gone
check 'CPUID and MSRs look as before, afterwards' view_is_the_same
check 'in again' insmod underpin.ko
since_mark >log
check 'no indirect branch went astray' lacks log 'Missing ENDBR|control protection'
# Bochs's Tiger Lake itself makes Linux warn as it starts.
check 'nothing in the kernel log' lacks log 'BUG|WARNING|Oops|Call Trace'
check 'the kernel still tracks, beneath the layer' tracked
finish_tap
