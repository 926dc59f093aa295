#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: life.sh stays | panic | kexec | reboot WORDS.
# stays: the events of a host kernel's life that it survives.  Prints TAP.
# The others: how it ends, with a protected and an ordinary guest running.  WORDS are of
# the second kernel's command line.
# Needs underpin.ko, underpin, life, addram.ko, second.initrd, protected-fw.bin,
# ordinary-fw.bin (guests with a secret), tap.sh, lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

# --- what it survives

state() { cat /sys/kernel/underpin/state; }
cpus() { cat /sys/devices/system/cpu/online; }

# vetoed WHAT COMMAND...: refused with the cure, and the layer is where it was
vetoed() {
	what=$1
	shift
	refused "underpin: $what is refused: .*rmmod underpin first" "$@" &&
		same "running $before" "$(state) $(cpus)" && underpin status >/dev/null
}
sleeps() { echo "$1" >/sys/power/state; }

# Memory of a device that the kernel did not have at boot: block 6 of 128 MiB.
START=0x30000000 SIZE=0x8000000 PAGES=32768
block() { echo "$1" >/sys/devices/system/memory/memory6/state; }
block_is() { same "$1" "$(cat /sys/devices/system/memory/memory6/state)"; }
found_later() {
	insmod underpin.ko && same $((ram + PAGES)) "$(figure ram)"
}

stays() {
	before=$(cpus)
	insmod underpin.ko || exit 1
	ram=$(figure ram)
	check 'suspend to RAM is vetoed while the layer is there' vetoed suspend sleeps mem
	check 'and to idle' vetoed suspend sleeps freeze
	check 'hibernation is vetoed' vetoed hibernation sleeps disk
	insmod addram.ko start=$START size=$SIZE || exit 1
	check 'memory that arrives later may not come online' \
		refused 'underpin: memory at 0x30000000 to 0x38000000 was not there' block online
	check 'and stays offline' block_is offline
	check 'the cure cures: rmmod, online' sh -c "rmmod underpin &&
		echo online_movable >/sys/devices/system/memory/memory6/state"
	check "a later launch finds it, below its device's resource" found_later
	check 'memory that was found may go and come' sh -c '
		echo offline >/sys/devices/system/memory/memory6/state &&
		echo online >/sys/devices/system/memory/memory6/state'
	check 'rmmod' rmmod underpin
	check 'without the layer hibernation goes as far as it can without swap (the control)' \
		refused 'PM: .*swap' sleeps disk
	check 'nothing in the kernel log' quiet_dmesg
	finish_tap
}

# --- how it ends

qemu="qemu-system-x86_64 -accel kvm -machine pc,hpet=off,smm=off -cpu host,kvm=off -m 16
	-nodefaults -no-reboot -display none"

guests() {
	insmod underpin.ko && modprobe kvm_intel || exit 1
	# shellcheck disable=SC2086  # several words
	underpin vm run -- $qemu -bios protected-fw.bin -serial file:protected.serial </dev/null &
	# shellcheck disable=SC2086
	$qemu -bios ordinary-fw.bin -serial file:ordinary.serial </dev/null &
	until_true 120 grep -q 'TP.*S' protected.serial && until_true 120 grep -q 'TU.*S' ordinary.serial ||
		exit 1
	echo "guests run"
}

# What a second kernel finds of this shows that nobody wipes all memory: it uses some itself.
held() {
	./life hold "${1##*ordinary=}" >held &
	until_true 60 grep -q held held || exit 1
}

last_words() { echo 'the kernel ends' && sync && sleep 0.2; }

case $1 in
stays) stays ;;
panic)
	./life load-crash /guest/vmlinuz second.initrd "$2" || exit 1
	guests
	last_words
	echo c >/proc/sysrq-trigger
	;;
kexec)
	./life load /guest/vmlinuz second.initrd "$2" || exit 1
	guests
	held "$2"
	[ ! -e /sys/devices/system/cpu/cpu1 ] || echo 0 >/sys/devices/system/cpu/cpu1/online
	last_words
	./life kexec
	;;
reboot)
	# The keyboard controller's is an INIT here, and Bochs's BIOS does not survive that.
	echo pci >/sys/kernel/reboot/type || exit 1
	guests
	held "$2"
	last_words
	./life reboot
	;;
esac
