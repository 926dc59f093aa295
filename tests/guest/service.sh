#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: a protected guest that serves by network from an encrypted disk, a client
# outside, and a host that changes the disk.
# service.sh SECONDS MIB MARKER REQUESTS QEMU-OPTION...: the disk has MIB; root.img.gz is another.
set -u
seconds=$1 mib=$2 marker=$3 requests=$4
shift 4

wait_for() {
	while kill -0 $run 2>/dev/null && ! grep -q "^service: $1" serial.txt; do
		sleep 1
	done
}

ip link set lo up && insmod ./underpin.ko && modprobe kvm_intel || exit 1
[ ! -e root.img.gz ] || gunzip root.img.gz || exit 1
truncate -s "${mib}M" disk.img
timeout -s KILL "$seconds" underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off \
	-machine pc,hpet=off,smm=off -nodefaults -nographic -serial stdio \
	-bios ./underpin-fw.bin "$@" </dev/null >serial.txt 2>run.txt &
run=$!
wait_for ready
echo "=== show"
underpin vm show -o json 0
echo "=== requests $(./client 8080 /page "$requests")"
sha256sum <body
# The control: what it serves is found in what it serves.
echo "=== served $(./client 8080 /marker 1) $(grep -c "$marker" body)"
echo "=== plain $(grep -ac "$marker" disk.img)"
# One page in the middle of what the guest has written.
dd if=/dev/urandom of=disk.img bs=4096 seek=$((mib * 128)) count=1 conv=notrunc 2>/dev/null
./client 8080 /changed 1 >/dev/null
wait $run
echo "=== status $?"
underpin vm list -o json
echo "=== layer"
underpin status -o json
echo "=== run"
cat run.txt
echo "=== dmesg"
dmesg | grep -v ' underpin: CPU' | tail -30
echo "=== serial"
cat serial.txt
