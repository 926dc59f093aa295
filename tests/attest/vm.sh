# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For jobs in a machine: '. ./vm.sh' knows a protected VM, the only one, and how it asks for its own
# report.  Needs underpin, tiny-fw.bin.

# unhex HEX: its bytes
unhex() {
	for byte in $(echo "$1" | sed 's/../& /g'); do
		# shellcheck disable=SC2059  # an escape is what is wanted
		printf "\\$(printf %o "0x$byte")"
	done
}

# eventually TENTHS COMMAND...: it succeeds within so many tenths of a second
eventually() {
	turns=$1
	shift
	until "$@" 2>/dev/null; do
		turns=$((turns - 1))
		[ $turns -gt 0 ] || return 1
		sleep 0.1
	done
}

# vm_start: it runs, and has its report when it may ask
vm_start() {
	modprobe kvm_intel || return 1
	[ -p keys ] || mkfifo keys
	exec 4<>keys
	underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off \
		-machine pc,hpet=off,smm=off -m 16 -nodefaults -display none -no-reboot \
		-bios tiny-fw.bin -serial stdio >serial 2>err <keys &
	vm_tool=$!
	eventually 600 grep -q 'TP.*S' serial
}

# vm_asks NONCE: for a report of itself, over the nonce and zeros, which becomes the file vm-report
vm_asks() {
	{ printf a; unhex "$1"; head -c 32 /dev/zero; } >&4
	eventually 600 grep -q 'A[0-9a-f]\{1376\}$' serial
	unhex "$(sed -n 's/.*A\([0-9a-f]\{1376\}\)$/\1/p' serial)" >vm-report
}

# vm_end: it is gone, and kvm_intel with it
vm_end() {
	pkill -x qemu-system-x86
	wait "$vm_tool"
	exec 4<&-
	eventually 200 modprobe -r kvm_intel
}
