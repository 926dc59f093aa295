#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: boots a stock kernel as a protected guest, shows its VM while
# user space runs there, and what is left when it has ended.
set -u
append=$1

insmod ./underpin.ko && modprobe kvm_intel || exit 1
timeout 500 underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off \
	-machine pc,hpet=off,smm=off -nodefaults -no-reboot -nographic -serial stdio \
	-m 128 -bios ./underpin-fw.bin -kernel /guest/vmlinuz -initrd ./witness.initrd \
	-append "$append" </dev/null >serial.txt 2>run.txt &
run=$!
turn=0
while kill -0 $run 2>/dev/null && [ $turn -lt 5000 ] && ! grep -q '^witness: avx' serial.txt
do
	sleep 0.1
	turn=$((turn + 1))
done
echo "=== show"
underpin vm show -o json 0
wait $run
echo "=== status $?"
underpin vm list -o json
echo "=== layer"
underpin status -o json
echo "=== run"
cat run.txt
echo "=== serial"
cat serial.txt
