#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a Debian where the packages are installed, and which has started by itself
# (tests/suites/deb-install). Prints TAP. Needs tap.sh, lib.sh, initrd.img for a guest, and
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

check 'the layer runs' same running "$(cat /sys/kernel/underpin/state)"
# It refuses to be loaded behind kvm_intel.
check 'and kvm_intel, which nobody asked for' test -d /sys/module/kvm_intel
check 'the initramfs has loaded it, before the root file system was there' \
	before 'CPUs run on the layer now' 'EXT4-fs .*: mounted'
check 'before kvm_intel' before 'CPUs run on the layer now' 'kvm_intel runs above the layer'
check 'the unit agrees' active underpin.service
check 'and so does udev: the service runs' active underpin-protect.service
check 'it is the packaged image' same "$(cat /sys/kernel/underpin/image_hash)" \
	"$(sha256sum /usr/src/underpin-*/build/root/root.bin | cut -d' ' -f1)"
check 'the device is root alone' same '600 root root' "$(stat -c '%a %U %G' /dev/underpin)"
check 'an upgrade says what it does not do' sh -c \
	'/var/lib/dpkg/info/underpin-dkms.preinst upgrade 0 >said; cat said
	 grep -q "its 0 protected VMs are not touched" said'

# --- the operator's commands, as they stand on the page

ln -s "$(echo /boot/vmlinuz-6.12*)" vmlinuz
while read -r typed; do
	check "operator: $(echo "$typed" | cut -c1-60)" sh -c "$typed"
	case $typed in
	'underpin vm run '*)
		check 'its firmware has reported what it loads' until_true 300 reported ;;
	esac
done <operators
check 'a guest runs, protected' until_true 600 grep -aq 'user space reached' console
tail -n 3 console | sed 's/^/# /'
check 'and has ended by itself' until_true 60 no_vm
check 'the figures are what node_exporter takes' sh -c \
	'sed s/^/underpin_/ /sys/kernel/underpin/frames >prom; cat prom
	 ! grep -Evx "[a-z_][a-z0-9_]* [0-9]+" prom'
check 'the journal has its end' sh -c 'journalctl -k -g underpin >j; grep "frames came back zeroed" j'

check 'nothing bad in the log' quiet_dmesg
systemctl stop underpin-protect.service
check 'the host is drained' modprobe -r kvm_intel underpin
check 'and nothing of the layer is there' gone
check 'kvm_intel brings it back' sh -c 'modprobe kvm_intel && underpin status | grep running'
finish_tap
