#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a machine that nested KVM gives, with VT-d and edu: in, an ordinary and a protected
# VM, a device that attacks, out.  Prints TAP.  Needs underpin.ko, underpin, tiny-fw.bin,
# attack and attack.ko (tests/attack), tap.sh, lib.sh, and expected.tiny, which
# "underpin vm expected" has said elsewhere.
# shellcheck disable=SC1091,SC2086  # $tiny is several words
set -u
. ./tap.sh
. ./lib.sh

tiny="qemu-system-x86_64 -machine pc,hpet=off,smm=off,accel=kvm -cpu host,kvm=off -nodefaults
	-no-reboot -display none -m 16 -bios tiny-fw.bin -serial file:tiny.serial"
dmar=/sys/firmware/acpi/tables/DMAR
measurement=$(awk '$1 == "measurement" { print $2 }' expected.tiny)

# When a step begins, by the machine's own clock.
step() { sed "s/ .*/ s: $*/; s/^/# /" /proc/uptime; }

# starts PATTERN COMMAND...: in the background, until the guest has said so
starts() {
	pattern=$1
	shift
	rm -f tiny.serial
	"$@" >out 2>err </dev/null &
	vm=$!
	until_true 120 grep -q "$pattern" tiny.serial || { cat out err tiny.serial; return 1; }
}

ends() {
	pkill -9 -x qemu-system-x86
	wait $vm
	until_true 20 no_vm
}

no_vm() { [ -z "$(underpin vm list)" ]; }
figures() { underpin status | grep -E '^(vms|vm_frames)'; }

# A disk's device reads and writes memory itself.  8 MiB each way, past every cache.
disk_works() {
	dd if=written of=/var/disk bs=256k oflag=direct status=none &&
		dd if=/var/disk bs=256k iflag=direct status=none | cmp - written
}

# disk_at_work COMMAND...: with the disk at it all the while
disk_at_work() {
	rm -f enough disk.failed
	while [ ! -e enough ]; do
		dd if=/var/disk bs=256k iflag=direct status=none | cmp - written || : >disk.failed
	done &
	load=$!
	"$@"
	worked=$?
	: >enough
	wait $load
	return $worked
}
# A device of PCI Express's with ATS (its capability 15), if there is one, and its control
# register's upper byte.
ats_device() {
	for dev in /sys/bus/pci/devices/*; do
		[ "$(cat "$dev/device")" = 0x1044 ] && echo "$dev"
	done
}

ats_control() {
	at=256
	while [ "$at" -ge 256 ]; do
		header=$(od -An -tu4 -j "$at" -N 4 "$1/config")
		[ $((header & 0xffff)) != 15 ] ||
			{ od -An -tx1 -j $((at + 7)) -N 1 "$1/config" | tr -d ' '; return; }
		at=$((header >> 20))
	done
	echo "no ATS"
}

# A device that a driver uses by DMA
rng_works() { [ "$(dd if=/dev/hwrng bs=64 count=4 status=none | wc -c)" = 256 ]; }

no_fault() { has /sys/kernel/underpin/iommu '^faults 0$'; }

step "the host"
modprobe msr
dd if=/dev/urandom of=written bs=1M count=8 status=none
check 'its disk takes 8 MiB and gives them back' disk_works
check '"underpin check" has nothing against this host' underpin check
underpin check >check.out
check 'it finds the unit of VT-d' has check.out '^PASS  iommu .* 1 units, '
check "the machine's own DMAR table is accepted" underpin check --dmar $dmar

ats=$(ats_device)
if [ "$ats" ]; then
	modprobe virtio_pci
	modprobe virtio_rng
	check "a device's own translations are on" same 80 "$(ats_control "$ats")"
	check 'it works' rng_works
fi

step "in"
check 'insmod' insmod underpin.ko
if [ "$ats" ]; then
	check "the device's own translations are off" same 00 "$(ats_control "$ats")"
	check 'it works all the same' rng_works
fi
check 'the layer runs on the CPU' has /sys/kernel/underpin/state running
# QEMU's table has no unit for devices that it does not list, which makes it partial.
check 'it has the units of VT-d' has /sys/kernel/underpin/iommu '^(full|partial)$'
check 'the disk takes 8 MiB and gives them back' disk_works
check 'KVM starts above it' modprobe kvm_intel
before=$(figures)

step "an ordinary VM"
check 'an ordinary VM runs' starts 'TU.*S' $tiny
check 'and ends' ends

step "a protected VM"
check 'a protected VM, measured as computed elsewhere, runs; the disk works meanwhile' \
	disk_at_work starts 'TP[DN].*S' underpin vm run --expect "$measurement" -- $tiny
check 'the disk gave what it has' [ ! -e disk.failed ]
check 'it takes 8 MiB and gives them back beside the VM' disk_works
check 'the layer knows it' sh -c 'underpin vm show 0 | grep -q "$1"' sh "$measurement"
check 'and it ends with its QEMU' ends
check 'its frames are back' same "$before" "$(figures)"
check 'no device has been refused anything' no_fault

step "a device"
insmod attack.ko
attack 180 181 182 183 184 185 186 187 188 189 190 191 >attack.out
check 'a device attacks, and the attacks come to their end' has attack.out '^1\.\.'
join_tap attack.out
dmesg >log
check 'the log names the device that was refused, and where' \
	has log 'denied: unit 0: device [0-9a-f:.]* may not (read|write) [0-9a-f]+000 '
rmmod attack

step "out"
check 'rmmod' sh -c 'rmmod kvm_intel && rmmod underpin'
check 'in and out again with the disk at work: units and Linux have what they had' \
	disk_at_work sh -c 'insmod underpin.ko && rmmod underpin'
check 'the disk gave what it has' [ ! -e disk.failed ]
check 'it takes 8 MiB and gives them back' disk_works
if [ "$ats" ]; then
	check "the device's own translations are on again" same 80 "$(ats_control "$ats")"
	check 'it works' rng_works
fi
check 'nothing of the layer is left' gone
check 'nothing in the kernel log' quiet_dmesg
step "the end"
finish_tap
