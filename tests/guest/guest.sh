#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: boots a stock kernel as a protected guest, shows its VM while user
# space runs there, and what is left when it has ended.
# guest.sh SECONDS TEXT QEMU-OPTION...: TEXT begins the line behind which it is looked at.
set -u
seconds=$1 until=$2
shift 2

# QEMU's user network speaks with the programs behind it by the loopback interface.
ip link set lo up && insmod ./underpin.ko && modprobe kvm_intel || exit 1
timeout -s KILL "$seconds" underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off \
	-machine pc,hpet=off,smm=off -nodefaults -nographic -serial stdio \
	-bios ./underpin-fw.bin "$@" </dev/null >serial.txt 2>run.txt &
run=$!
while kill -0 $run 2>/dev/null && ! grep -q "^$until" serial.txt
do
	sleep 0.1
done
echo "=== show"
underpin vm show -o json 0
wait $run
echo "=== status $?"
underpin vm list -o json
[ ! -f disk.img ] || echo "=== disk $(sha256sum <disk.img)"
echo "=== layer"
underpin status -o json
echo "=== run"
cat run.txt
echo "=== dmesg"
dmesg | grep -v ' underpin: CPU' | tail -30
echo "=== serial"
cat serial.txt
