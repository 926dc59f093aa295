#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: a stock Debian kernel as a protected VM, what was measured,
# and what the tools refuse.  Prints TAP.  Needs underpin.ko, underpin,
# underpin-fw.bin, tiny-fw.bin, tap.sh, lib.sh, and what tests/suites/protected
# computed outside: expected.NAME, output of "underpin vm expected", for debian,
# changed, tiny and tiny-changed; and append, the kernel's command line.
# shellcheck disable=SC1091,SC2086  # $qemu is several words
set -u
. ./tap.sh
. ./lib.sh

qemu="qemu-system-x86_64 -machine pc,hpet=off,smm=off,accel=kvm -cpu host,kvm=off
	-nodefaults -no-reboot -display none"
tiny="$qemu -m 16 -bios tiny-fw.bin -serial file:tiny.serial"
append=$(cat append)

expected() { awk -v name="$2" '$1 == name { print $2 }' "expected.$1"; }
shown() { awk -v name="$2" '$1 == name { print $NF }
	$1 == "report" && "report" $2 == name { print $NF }' "$1"; }

reported() { underpin vm show 0 >shown && same 4 "$(grep -c '^report ' shown)"; }
no_vm() { [ -z "$(underpin vm list)" ]; }
figures() { underpin status | grep -E '^(vms|pool_free|vm_frames)'; }
as_before() { until_true 20 no_vm && same "$before" "$(figures)"; }

# debian KERNEL INITRD APPEND: starts it in the background, until it has reported
debian() {
	underpin vm run -- $qemu -m 128 -serial file:debian.serial -bios underpin-fw.bin \
		-kernel "$1" -initrd "$2" -append "$3" >out 2>err </dev/null &
	tool=$!
	until_true 300 reported || { cat err debian.serial; return 1; }
}

reports_are() {
	n=0
	for name in kernel initrd cmdline memmap; do
		same "$(expected "$1" $name)" "$(shown shown report$n)" || return 1
		n=$((n + 1))
	done
}

# differ NAME...: these digests of the changed files are not those of the first ones
differ() {
	for name; do
		[ "$(expected debian "$name")" != "$(expected changed "$name")" ] || return 1
	done
}

ends() { # STATUS
	status=0
	wait "$tool" || status=$?
	same "$1" "$status"
}

# run_ends STATUS PATTERN [OPTION...] -- COMMAND...: of underpin vm run
run_ends() {
	wanted=$1
	pattern=$2
	shift 2
	status=0
	underpin vm run "$@" >out 2>err </dev/null || status=$?
	cat out err
	same "$wanted" "$status" && { [ -z "$pattern" ] || has err "$pattern"; }
}

# wrong STATUS PATTERN ARGUMENT...: of underpin
wrong() {
	wanted=$1
	pattern=$2
	shift 2
	status=0
	underpin "$@" >out 2>err </dev/null || status=$?
	cat out err
	same "$wanted" "$status" && has err "$pattern" && as_before
}

tiny_runs() {
	underpin vm run --expect "$(expected tiny measurement)" -- $tiny >out 2>err </dev/null &
	tool=$!
	until_true 60 grep -q 'TP[DN].*S' tiny.serial || { cat err tiny.serial; return 1; }
}

change() { # FILE OFFSET: one byte, as tests/suites/protected does
	printf '\125' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

insmod underpin.ko && modprobe kvm_intel || exit 1

# --- Debian's kernel, from its first instruction to user space

check 'a protected Debian kernel starts' debian /guest/vmlinuz /guest/initrd "$append"
check 'it has the measurement that was computed elsewhere' \
	same "$(expected debian measurement)" "$(shown shown measurement)"
check 'its firmware reports the digests that were computed elsewhere' reports_are debian
check 'the layer takes no more memory for it than it may' memory_bound 128
check 'as JSON too' sh -c "underpin vm show 0 -o json |
	grep -q '\"0\": *\"$(expected debian kernel)\"'"
check 'it reaches user space' until_true 400 grep -q 'user space reached' debian.serial
check 'and ends with its QEMU' ends 0
check 'no VM is left' until_true 20 no_vm
before=$(figures)
tail -n 2 debian.serial | sed 's/^/# /'

# --- one changed byte

cp tiny-fw.bin changed-fw.bin
change changed-fw.bin $((0xffb0))
# Else a guest whose #DB or #AC raises itself anew would keep the processor for ever.
exceptions_exit() {
	awk '$1 == 0 { n = $2 } END { print n " exceptions and NMIs exited"; exit n < 2 }' \
		/sys/kernel/underpin/exits_vm
}

check 'the tiny guest has the expected measurement' tiny_runs
check 'single step and INT1 trap in it as on a bare processor' has tiny.serial 'TPD'
check 'each with an exit, so that the host has its turn' exceptions_exit
pkill -9 -x qemu-system-x86
check 'killing QEMU is 137' ends 137
check 'a changed byte of the firmware changes the measurement' run_ends 125 'not the expected one' \
	--expect "$(expected tiny measurement)" -- $qemu -m 16 -bios changed-fw.bin
check 'to the one computed elsewhere' has err "$(expected tiny-changed measurement)"
check 'after that the frames are back' as_before

cp /guest/vmlinuz changed-kernel
cp /guest/initrd changed-initrd
change changed-kernel 5000000
change changed-initrd 100000
check 'a changed kernel, initrd and command line start' \
	debian changed-kernel changed-initrd "${append}1"
check 'all three digests are those computed elsewhere' reports_are changed
check 'and differ from the first' differ kernel initrd cmdline
check 'while the measurement of the firmware does not' \
	same "$(expected debian measurement)" "$(shown shown measurement)"
pkill -9 -x qemu-system-x86
check 'killing that QEMU is 137, too' ends 137
check 'the frames are back' as_before

# --- exit statuses

check 'QEMU that ends by itself gives its own status' run_ends 1 'no-such-file' \
	-- $tiny -bios no-such-file
check 'no such QEMU is 127' run_ends 127 'no-such-qemu' -- no-such-qemu -accel kvm
check 'one that cannot be executed is 126' run_ends 126 'expected.tiny' \
	-- ./expected.tiny -accel kvm
check 'no QEMU command is 2' run_ends 2 'QEMU command is missing' --
check 'without KVM is 2, with the cure' run_ends 2 'add "-accel kvm"' -- qemu-system-x86_64 -m 16
check 'in the background is 2' run_ends 2 'daemonize' -- $tiny -daemonize
check 'a state from elsewhere is 2' run_ends 2 'incoming' -- $tiny -incoming tcp:0:1
check 'something that is no digest is 2' run_ends 2 'xyz' --expect xyz -- $tiny
check 'a firmware without its kernel says so' run_ends 0 '' -- $qemu -m 64 \
	-serial file:none.serial -bios underpin-fw.bin
check 'in its own words' has none.serial 'FAILED: kernel: none was given'
check 'nothing is left of these' as_before

# --- wrong input is named, and changes nothing

check 'show: no such VM' wrong 1 '99' vm show 99
check 'show: no number' wrong 2 'abc' vm show abc
check 'show: nothing' wrong 2 'show' vm show
check 'release: no such VM' wrong 1 '99' vm release 99
check 'release: a negative number' wrong 2 '-1|option' vm release -1
check 'protect: no such process' wrong 1 '4194000' vm protect --pid 4194000
check 'protect: a process without a VM' wrong 1 'process 1|KVM' vm protect --pid 1
check 'protect: both ways at once' wrong 2 'pid|vm-fd' vm protect --pid 1 --vm-fd 3 --vcpu-fds 4
check 'protect: a descriptor that is no VM' wrong 1 'VM' \
	vm protect --vm-fd 0 --vcpu-fds 0
check 'an unknown command' wrong 2 'frobnicate' vm frobnicate
check 'an unknown format' wrong 2 'yaml' status -o yaml
check 'one word too many' wrong 2 'extra' status extra

check 'the module can be removed' sh -c 'rmmod kvm_intel && rmmod underpin'
check 'nothing in the kernel log' quiet_dmesg
finish_tap
