#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: bench-work.sh bare|underpin ROUNDS.  What a guest's life takes, work
# in a guest, and the same work on the host: lines "work NAME TICKS" (tests/guest/work.c).
# Needs work.initrd, work.tar (tests/bench), and underpin.ko for "underpin".
set -u
mode=$1 rounds=$2

# guest NAME MIB INITRD WORDS: its life from QEMU's start to its end; what it says is in "serial"
guest() {
	host/init ticks "$1" qemu-system-x86_64 -accel kvm -machine pc -cpu host -nodefaults \
		-no-reboot -display none -serial file:serial -m "$2" -kernel /guest/vmlinuz \
		-initrd "$3" -append "console=ttyS0,115200 panic=-1 quiet $4" </dev/null
}

mkdir host && tar -C host -xf work.tar || exit 1
[ "$mode" = bare ] || insmod underpin.ko || exit 1
modprobe kvm_intel || exit 1
for round in $(seq "$rounds"); do
	guest boot 128 /guest/initrd ''
	guest work 256 work.initrd '-- fork compile' >/dev/null
	tr -d '\r' <serial | grep '^work '
	chroot host /init fork compile | sed 's/^work /work host_/'
done
