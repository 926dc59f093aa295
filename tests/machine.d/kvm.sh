#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: stock KVM, unmodified, bare and with the layer beneath; no VM
# is protected.  Prints TAP.  Needs underpin.ko, underpin, tiny, tap.sh, lib.sh,
# tiny-fw.bin, kvm-selftests.list and the programs that it names.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

# debian NAME: Debian's kernel in stock QEMU, to user space and to its end
debian() {
	qemu-system-x86_64 -accel kvm -machine pc -cpu host -m 128 -nodefaults -no-reboot \
		-display none -serial "file:$1.serial" -kernel /guest/vmlinuz -initrd /guest/initrd \
		-append 'console=ttyS0,115200 panic=-1' </dev/null >"$1.out" 2>&1 ||
		{ cat "$1.out"; return 1; }
	has "$1.serial" 'user space reached' && lacks "$1.serial" 'BUG|WARNING|Oops|Call Trace'
}

many_tiny() {
	n=0
	while [ $n -lt 20 ]; do
		./tiny -n 100 -r 1 cpuid touch out >tiny.out || return 1
		same 3 "$(wc -l <tiny.out)" || return 1
		n=$((n + 1))
	done
}

transitions() { awk '{ sum += $3 } END { print sum }' /sys/kernel/underpin/cpus; }

# transitions_are -lt|-gt NUMBER: of 2,000 CPUID exits and what a guest's start takes
transitions_are() {
	start=$(transitions)
	./tiny -n 2000 -r 1 cpuid >tiny.out || return 1
	taken=$(($(transitions) - start))
	echo "$taken transitions"
	[ "$taken" "$1" "$2" ]
}

figures() { grep -E '^(ram|pool|pool_free|vm|denied) ' /sys/kernel/underpin/frames; }
figures_are() { same "$1" "$(figures)"; }

# A frame for each of the host's pages that KVM maps into a guest is none of the layer's:
# its tables for that guest come back with the guest.
no_leak() {
	echo "before: $(echo "$before" | tr '\n' ' ')"
	figures_are "$before"
}

# Each says what is wrong with an exit status; 4 is skipped, which is none that passes.
# shellcheck disable=SC2013  # a word a line
selftests() {
	for test in $(sed -e 's/[[:space:]]*#.*//' kvm-selftests.list); do
		test=$(basename "$test")
		check "KVM selftest $test $1" timeout 100 "./$test"
	done
}

# What passes beneath the layer must be what passes without it.
modprobe kvm_intel || exit 1
selftests 'on bare KVM'
rmmod kvm_intel
insmod underpin.ko && modprobe kvm_intel || exit 1
dmesg >log
check 'kvm_intel holds the module, and the log says how to free it' \
	has log "rmmod is refused until 'modprobe -r kvm_intel'"

check 'a tiny guest runs' ./tiny -n 100 -r 1
check 'an exit of its takes four transitions, not 18' transitions_are -lt 16000
before=$(figures)
check '20 of them run one after another' many_tiny
check 'and leave nothing in the layer' no_leak
check 'Debian in QEMU comes to user space and ends' debian one
check 'and leaves nothing in the layer' no_leak
check 'nobody was denied anything' same 0 "$(figure denied)"

selftests 'beneath the layer'

# A CPU in KVM's VMX operation could not leave the layer.
qemu-system-x86_64 -accel kvm -machine pc,hpet=off,smm=off -cpu host,kvm=off -m 16 -nodefaults \
	-no-reboot -display none -bios tiny-fw.bin -serial file:busy.serial </dev/null &
qemu=$!
check 'another guest runs' until_true 60 grep -q 'TU.*S' busy.serial
check 'a single step traps in it' has busy.serial 'TUD'
check 'while it does, rmmod is refused' refused 'in use' rmmod underpin
kill -9 $qemu
wait $qemu
check 'without a guest it still is' refused 'in use' rmmod underpin
check 'the layer runs' has /sys/kernel/underpin/state running
check 'without kvm_intel it is not' sh -c 'rmmod kvm_intel && rmmod underpin'
check 'without VMCS shadowing' insmod underpin.ko vmcs_shadowing=0
modprobe kvm_intel
check 'a tiny guest runs as before, each VMREAD an exit' transitions_are -gt 30000
check 'nothing in the kernel log' quiet_dmesg
finish_tap
