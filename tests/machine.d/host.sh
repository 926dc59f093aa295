#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: one turn of a host's life with the layer, on the kernel that
# the machine has.  Prints TAP.  Needs underpin.ko, underpin, tiny-fw.bin, tap.sh, lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

qemu="qemu-system-x86_64 -accel kvm -machine pc,hpet=off,smm=off -cpu host,kvm=off -m 16
	-nodefaults -no-reboot -display none -bios tiny-fw.bin"
in_state() { underpin status | grep -q '^state  *running'; }

# tiny PATTERN COMMAND...: a guest that says what it is, and goes on running
tiny() {
	pattern=$1
	shift
	rm -f tiny.serial
	# shellcheck disable=SC2086  # several words
	"$@" $qemu -serial file:tiny.serial </dev/null >tiny.out 2>&1 &
	until_true 120 grep -q "$pattern" tiny.serial || { cat tiny.out tiny.serial; return 1; }
	pkill -9 -x qemu-system-x86
	wait
}
no_vm() { [ -z "$(underpin vm list)" ]; }

dmesg -C
uname -r | sed 's/^/# /'
check 'insmod' insmod underpin.ko
check 'status says that it runs' in_state
check 'kvm_intel loads above it' modprobe kvm_intel
check 'a protected tiny guest runs' tiny 'TP.*S.*S' underpin vm run --
check 'and ends' until_true 20 no_vm
check 'an ordinary tiny guest runs' tiny 'TU.*S.*S' env
check 'rmmod' sh -c 'rmmod kvm_intel && rmmod underpin'
check 'nothing is left' gone
check 'nothing in the kernel log' quiet_dmesg
finish_tap
