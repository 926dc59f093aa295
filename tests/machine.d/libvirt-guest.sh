#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: a stock kernel with disk, network and console as a domain of libvirt's,
# without and with AppArmor around its QEMU.  Prints TAP.  Needs what libvirt-host.sh needs,
# underpin, underpin-libvirt, underpin-fw.bin, vmlinuz, devices.initrd, disk.img, busybox, tap.sh, lib.sh,
# guest.xml, which names them, and the files measurement, before and after: SHA-256 of the VM, and of
# its disk.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh
# shellcheck source=tests/machine.d/libvirt-host.sh
. ./libvirt-host.sh

measurement=$(cat measurement)
log=/var/log/libvirt/qemu/guest.log
cp underpin-fw.bin vmlinuz devices.initrd "$vm"

# A network that the host serves
modprobe tun && ip tuntap add tap0 mode tap user libvirt-qemu &&
	ip addr add 10.0.2.100/24 dev tap0 && ip link set tap0 up || exit 1
./busybox nc -ll -p 1234 -e echo hello from the host &
listener=$!

# daemon_starts: as $daemon
daemon_starts() {
	/usr/sbin/libvirtd >libvirtd.log 2>&1 &
	daemon=$!
	until_true 60 virsh list
}

# begin: the domain is started with a console, whose text is in console.out
begin() {
	cp disk.img "$vm/disk.img"
	chown "$user:$group" "$vm/disk.img"
	rm -f console.out
	sleep 3000 | script -qfec 'virsh start guest --console' console.out >/dev/null &
	until_true 120 sh -c 'virsh domstate guest | grep -Eq "running|paused"'
}

console_says() {
	until_true 900 grep -q "$1" console.out || { cat console.out $log; return 1; }
}
shut_off() { until_true 900 sh -c 'virsh domstate guest | grep "shut off"'; }
disk_is() { same "$(cat "$1")" "$(sha256sum <"$vm/disk.img" | cut -d' ' -f1)"; }

# cannot_start PATTERN: the domain does not run, and its log says why: it ends at its first "cont"
cannot_start() {
	cp disk.img "$vm/disk.img"
	virsh start guest
	until_true 20 sh -c 'virsh domstate guest | grep "shut off"' &&
		has $log "$1" && no_vm && disk_is before
}

# life NAME: from a plain start to the guest's own end
life() {
	frames=$(figures)
	check "$1: started, plainly, with its console" begin
	check "$1: the kernel is a guest of the GHCI" console_says 'devices: encryption: Intel TDX'
	check "$1: it hears a server by its network" console_says 'devices: network: hello from the host'
	underpin vm show 0 >shown
	check "$1: its measurement is the one computed elsewhere" \
		has shown "^measurement *$measurement"
	qemu=$(pgrep -x qemu-system-x86 | head -n 1)
	check "$1: QEMU is not root" same "$user" "$(stat -c %u "/proc/$qemu")"
	cat "/proc/$qemu/attr/current" >label
	check "$1: the host cannot dump it" sh -c \
		'! virsh dump --memory-only --live guest /tmp/core 2>err && cat err && grep -q "Bad address" err'
	check "$1: it reads and writes its disk" console_says 'devices: disk: ok'
	check "$1: it shuts down by itself" shut_off
	check "$1: what it wrote is on its disk" disk_is after
	check "$1: no VM is left" until_true 20 no_vm
	check "$1: its frames are back" same "$frames" "$(figures)"
}

check 'libvirtd runs' daemon_starts
serve
check 'a domain is defined' virsh define guest.xml
underpin libvirt enable --expect "$(echo "$measurement" | tr 0-9a-f 1-9a-f0)" guest
check 'where it is to measure something else, it does not run' \
	cannot_start 'not the expected one'
check 'it is to be protected' underpin libvirt enable --expect "$measurement" guest
underpin libvirt check guest >check.out
check 'nothing stands in the way' lacks check.out FAIL
cat check.out
life unconfined

# --- AppArmor, as Debian's packages have it

kill $daemon
wait "$daemon"
mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
# What the packages' scripts leave there
mkdir -p /etc/apparmor.d/local/abstractions
: >/etc/apparmor.d/local/abstractions/libvirt-qemu
: >/etc/apparmor.d/local/usr.sbin.libvirtd
: >/etc/apparmor.d/local/usr.lib.libvirt.virt-aa-helper
configure apparmor
check "libvirtd's own profile is loaded" apparmor_parser -r /etc/apparmor.d/usr.sbin.libvirtd
check 'libvirtd runs' daemon_starts
check 'and confines QEMU' sh -c 'virsh capabilities | grep "<model>apparmor</model>"'
life confined
check 'its QEMU was confined' has label '^libvirt-.*enforce'
dmesg | grep 'apparmor="DENIED".*libvirt-' >denied
cat denied
check 'which kept it from nothing of ours' lacks denied underpin
kill $server $daemon $listener
dmesg | grep -v 'segfault at .* in qemu-system-x86' >all.log
check 'nothing else in the kernel log' \
	lacks all.log 'BUG|WARNING|Oops|Call Trace|general protection|segfault|stay pinned'
finish_tap
