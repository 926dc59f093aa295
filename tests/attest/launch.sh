#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# launch.sh NONCE STALE: in the test machine, evidence of two launches, by underpin attest.
# Needs underpin.ko, underpin, underpin-attest with its libraries, tiny-fw.bin.
set -u
export LD_LIBRARY_PATH=. PATH="$PATH:."

quote() {
	name=$1
	shift
	echo "=== $name"
	underpin attest quote --no-tpm --nonce "$@" 2>&1
}

# unhex HEX: its bytes
unhex() {
	for byte in $(echo "$1" | sed 's/../& /g'); do
		# shellcheck disable=SC2059  # an escape is what is wanted
		printf "\\$(printf %o "0x$byte")"
	done
}

layer() {
	echo "=== $1"
	cat /sys/kernel/underpin/launch_key /sys/kernel/underpin/launch_nonce
}

insmod ./underpin.ko && modprobe kvm_intel || exit 1
layer first-launch
mkfifo keys
exec 3<>keys
underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off -machine pc,hpet=off,smm=off \
	-m 16 -nodefaults -display none -no-reboot -bios tiny-fw.bin -serial stdio \
	>serial 2>err <keys &
tool=$!
turn=0
until grep -q 'TP.*S' serial 2>/dev/null || [ $turn -gt 300 ]; do
	sleep 0.1
	turn=$((turn + 1))
done
quote good "$1" --vm 0
quote stale "$2" --vm 0
quote no-such-vm "$1" --vm 9
# The VM asks for itself, over the nonce and zeros.
{ printf a; unhex "$1"; head -c 32 /dev/zero; } >&3
turn=0
until grep -q 'A[0-9a-f]\{1376\}$' serial || [ $turn -gt 300 ]; do
	sleep 0.1
	turn=$((turn + 1))
done
unhex "$(sed -n 's/.*A\([0-9a-f]\{1376\}\)$/\1/p' serial)" >vm-report
quote asked "$1" --vm-report vm-report
echo "=== measurement"
underpin vm show 0 | sed -n 's/^measurement *//p'
pkill -x qemu-system-x86
wait $tool
echo "=== status"
underpin status -o json
turn=0
until modprobe -r kvm_intel 2>/dev/null || [ $turn -gt 100 ]; do
	sleep 0.1
	turn=$((turn + 1))
done
rmmod underpin && insmod ./underpin.ko || exit 1
layer second-launch
quote again "$1"
echo "=== log"
dmesg | grep -E 'underpin: root: launch:|BUG:|WARNING:|Oops'
echo "=== end"
