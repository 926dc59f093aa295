#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: boots a stock kernel as a protected guest, shows its VM while user
# space runs there, and what is left when it has ended.
# guest.sh SECONDS TEXT QEMU-OPTION...: TEXT begins the line behind which it is looked at.
set -u
seconds=$1 until=$2
shift 2

# A network that the host's kernel serves: its own end, and a server there.
with_vhost() {
	modprobe vhost_net && ip tuntap add tap0 mode tap && ip addr add 10.0.2.100/24 dev tap0 &&
		ip link set tap0 up || exit 1
	./busybox nc -ll -p 1234 -e echo hello from the host &
}

# How often the kernel's thread for it had something to do
worked() {
	for task in /proc/[0-9]*; do
		case $(cat "$task/comm" 2>/dev/null) in
		vhost-*) awk '$1 == "voluntary_ctxt_switches:" { print $2 }' "$task/status" ;;
		esac
	done
}

case $* in
*vhost=on*) with_vhost ;;
esac
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
echo "=== vhost $(worked)"
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
