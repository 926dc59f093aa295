#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a Debian where the packages are installed, and which has started by itself
# (tests/suites/deb-boot). Prints TAP. Needs tap.sh, lib.sh, initrd.img for a guest, and
# operators: what docs/operator.md has an operator type then.
# shellcheck disable=SC1091
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
. ./tap.sh
. ./lib.sh

line() { dmesg | grep -n "$1" | head -n 1 | cut -d: -f1; }
before() { # A B: the kernel's log has both, in this order
	echo "lines $(line "$1"), $(line "$2")"
	[ "$(line "$1")" -lt "$(line "$2")" ]
}
active() { systemctl is-active "$@" || { systemctl status "$@"; return 1; }; }
reported() { underpin vm show 0 | grep -c '^report ' | grep -qx 5; }
no_vm() { [ -z "$(underpin vm list)" ]; }

# systemd has all started before udev has loaded what it names.
udevadm settle --timeout=300
check 'the layer runs' same running "$(cat /sys/kernel/underpin/state)"
# Without it nothing below can be, and each check would wait for it.
[ -e /sys/kernel/underpin ] || { dmesg | grep -i underpin | sed 's/^/# /'; finish_tap; exit 1; }
# It refuses to be loaded behind kvm_intel.
check 'and kvm_intel, which nobody asked for' test -d /sys/module/kvm_intel
check 'the initramfs has loaded it, before the root file system was there' \
	before 'CPUs run on the layer now' 'EXT4-fs .*: mounted'
check 'before kvm_intel' before 'CPUs run on the layer now' 'kvm_intel runs above the layer'
check 'the unit agrees' active underpin.service
check 'and so does udev: the service runs' active underpin-protect.service
check 'it is the packaged image' same "$(cat /sys/kernel/underpin/image_hash)" \
	"$(sha256sum /usr/src/underpin-*/build/root/root.bin | cut -d' ' -f1)"
check "the device is root's alone" same '600 root root' "$(stat -c '%a %U %G' /dev/underpin)"

# --- the operator's commands, as they stand on the page

# What they say is kept, each for itself: of the VM's the last comes later.
typed=0
typed() {
	typed=$((typed + 1))
	sh -c "$1" </dev/null >"typed.$typed" 2>&1 || { cat "typed.$typed"; return 1; }
}
# What dpkg runs before it unpacks the next release.
upgrade_says() {
	/var/lib/dpkg/info/underpin-dkms.preinst upgrade 0 >said
	cat said
	has said "^underpin-dkms: $(cat /sys/kernel/underpin/image_hash)" && has said 'VMs go on: 1\.$'
}

ln -s "$(echo /boot/vmlinuz-6.12*)" vmlinuz
while read -r command; do
	check "operator: $(echo "$command" | cut -c1-60)" typed "$command"
	case $command in
	'underpin vm run '*)
		vm=typed.$typed
		check 'its firmware has reported what it loads' until_true 120 reported
		check 'an upgrade says what it does not do' upgrade_says ;;
	esac
done <operators
check 'a guest runs, protected' until_true 300 grep -aq 'user space reached' console
tail -n 3 console "$vm" | sed 's/^/# /'
check 'and has ended by itself' until_true 60 no_vm
# docs/operator.md, Watching it
check 'the figures are what node_exporter takes' sh -c \
	'underpin metrics >prom; cat prom; grep -qx "underpin_up 1" prom &&
	 ! grep -Evx "# (HELP|TYPE) .*|[a-z_]+(\{.*\})? [0-9.]+" prom'
check 'the journal has its end' sh -c 'journalctl -k -g underpin >j; grep "frames came back zeroed" j'

# 6.12 has a word on the processor that Bochs describes before anything of ours is there.
since_layer() {
	dmesg | sed -n '/underpin: /,$p' >all.log
	has all.log 'CPUs run on the layer now' &&
		lacks all.log 'BUG|WARNING|Oops|Call Trace|general protection|segfault|stay pinned'
}
check 'nothing bad in the log since the layer came' since_layer
systemctl stop underpin-protect.service
check 'the host is drained' modprobe -r kvm_intel underpin
check 'and nothing of the layer is there' gone
check 'kvm_intel brings it back' sh -c 'modprobe kvm_intel && underpin status | grep running'
finish_tap
