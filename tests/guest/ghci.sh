#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: boots a stock kernel of the GHCI as a protected guest with disk,
# network and some vCPUs; shows its VM while user space runs there, and what is left.
set -u
vcpus=$1 append=$2
seconds=${3:-600}

insmod ./underpin.ko && modprobe kvm_intel || exit 1
timeout -s KILL "$seconds" underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off \
	-machine pc,hpet=off,smm=off -nodefaults -no-reboot -nographic -serial stdio \
	-m 256 -smp "$vcpus" -bios ./underpin-fw.bin -kernel ./vmlinuz -initrd ./devices.initrd \
	-drive file=disk.img,if=none,id=d0,format=raw \
	-device virtio-blk-pci,drive=d0,disable-legacy=on,iommu_platform=on \
	-netdev 'user,id=n0,restrict=on,guestfwd=tcp:10.0.2.100:1234-cmd:echo hello from the host' \
	-device virtio-net-pci,netdev=n0,disable-legacy=on,iommu_platform=on,romfile= \
	-append "$append" </dev/null >serial.txt 2>run.txt &
run=$!
turn=0
while kill -0 $run 2>/dev/null && [ $turn -lt 6000 ] && ! grep -q '^devices: network' serial.txt
do
	sleep 0.1
	turn=$((turn + 1))
done
echo "=== show"
underpin vm show -o json 0
wait $run
echo "=== status $?"
underpin vm list -o json
echo "=== disk $(sha256sum <disk.img)"
echo "=== layer"
underpin status -o json
echo "=== run"
cat run.txt
echo "=== dmesg"
dmesg | grep -v ' underpin: CPU' | tail -30
echo "=== serial"
cat serial.txt
