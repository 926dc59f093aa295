#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: bench-guest.sh [QEMU-OPTION...]: on KVM alone, beneath the layer,
# and protected, what a doorbell and a device's register take; then, with options, a guest
# that measures itself (tests/guest/devices.c).  Prints its lines, beside each what the
# counters say then:
#	mode bare|beneath|protected
#	at begin|end NAME TRANSITIONS KVM-EXITS USER-SPACE-EXITS
#	reason begin|end NAME REASON COUNT
#	cost doorbell|device TICKS
set -u

sum() {
	cat "$@" 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'
}

transitions() {
	[ "$mode" = bare ] || awk '{ n += $3 } END { print n }' /sys/kernel/underpin/cpus
}

# counters begin|end NAME
counters() {
	kvm=/sys/kernel/debug/kvm
	set -- "$1" "$2" "$(transitions)"
	echo "at $1 $2 ${3:-0} $(sum $kvm/exits) $(sum $kvm/io_exits $kvm/mmio_exits)"
	[ "$mode" = bare ] || underpin status | awk -v at="$1 $2" '
		$1 == "VMs" { n[$2] += $3 } END { for (r in n) print "reason", at, r, n[r] }'
}

# guest QEMU-OPTION...
guest() {
	set -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off -machine pc,hpet=off,smm=off \
		-nodefaults -nographic -serial stdio "$@"
	if [ "$mode" = protected ]; then
		set -- underpin vm run -- "$@" -bios ./underpin-fw.bin
	else
		set -- "$@" -no-reboot
	fi
	timeout -s KILL 900 "$@" </dev/null >serial 2>run.txt &
	# Nothing stands between that would keep lines back: the counters are those of now.
	cr=$(printf '\r')
	while read -r line; do
		line=${line%"$cr"}
		echo "$line"
		case $line in
		"devices: begin: "*) counters begin "${line##*: }" ;;
		"devices: end: "*) line=${line##*: }; counters end "${line%% *}" ;;
		esac
	done <serial
	wait $!
	cat run.txt >&2
}

# all MODE QEMU-OPTION...
all() {
	mode=$1
	shift
	echo "mode $mode"
	if [ "$mode" = protected ]; then
		./attack cost protected || exit 1
	else
		./attack cost || exit 1
	fi
	[ $# = 0 ] || guest "$@"
}

ip link set lo up
mount -t debugfs none /sys/kernel/debug 2>/dev/null
truncate -s 16M disk.img
mkfifo serial
modprobe kvm_intel || exit 1
all bare "$@"
rmmod kvm_intel && insmod ./underpin.ko && modprobe kvm_intel || exit 1
all beneath "$@"
all protected "$@"
