#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: reset.sh protected|ordinary PORT VALUE.  A tiny guest with a
# secret runs, then root writes VALUE to PORT.  Needs underpin.ko, underpin, look,
# secret-fw.bin.
set -eu

qemu="qemu-system-x86_64 -accel kvm -machine pc,hpet=off,smm=off -cpu host,kvm=off -m 16
	-nodefaults -no-reboot -display none -bios secret-fw.bin -serial file:tiny.serial"
insmod underpin.ko
modprobe kvm_intel
# shellcheck disable=SC2086  # several words
case $1 in
protected) underpin vm run -- $qemu </dev/null & wanted='TP.*S' ;;
ordinary) $qemu </dev/null & wanted='TU.*S' ;;
esac
while ! grep -qs "$wanted" tiny.serial; do sleep 0.1; done
./look out "$2" "$3"
sleep 0.1
echo "written"
