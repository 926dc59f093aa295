#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine with two CPUs: two ordinary guests at once.  Prints TAP.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

start() {
	qemu-system-x86_64 -accel kvm -machine pc -cpu host -m 128 -nodefaults -no-reboot \
		-display none -serial "file:$1.serial" -kernel /guest/vmlinuz -initrd /guest/initrd \
		-append 'console=ttyS0,115200 panic=-1' </dev/null >"$1.out" 2>&1 &
}

figures() { grep -E '^(ram|pool_free|vm|denied) ' /sys/kernel/underpin/frames; }

insmod underpin.ko && modprobe kvm_intel || exit 1
./tiny -n 100 -r 1 >/dev/null || exit 1
before=$(figures)
start one
first=$!
start two
second=$!
check 'two guests run at once' sh -c \
	"sleep 2; kill -0 $first && kill -0 $second && [ \$(pgrep -c -x qemu-system-x86) = 2 ]"
check 'the first ends' wait $first
check 'the second ends' wait $second
for name in one two; do
	check "$name came to user space" has $name.serial 'user space reached'
	check "$name complains of nothing" lacks $name.serial 'BUG|WARNING|Oops|Call Trace'
done
check 'both CPUs ran VMs' same 2 "$(underpin status | grep -Ec '^ +VMs +cpuid ')"
check 'nothing of them stays in the layer' same "$before" "$(figures)"
check 'the module can be removed' sh -c 'rmmod kvm_intel && rmmod underpin'
check 'nothing in the kernel log' quiet_dmesg
finish_tap
