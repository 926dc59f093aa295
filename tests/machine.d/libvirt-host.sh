# SPDX-License-Identifier: GPL-2.0
# For scripts in the machine: '. ./libvirt-host.sh' behind tap.sh and lib.sh, with underpin.ko,
# underpin-protect.so and more.tar (tests/lib/more_packages.py), has libvirt as its packages'
# scripts would have set it up, and the layer.  $vm is a folder that QEMU may use.
# shellcheck shell=sh disable=SC2034  # the scripts' own

group=64000
user=64055
vm=/tmp/vm

tar -C / -xf more.tar && ldconfig
mkdir -p $vm /usr/lib/x86_64-linux-gnu/underpin /var/lib/libvirt/qemu /var/log/libvirt/qemu \
	/var/cache/libvirt/qemu /etc/libvirt
[ -L /var/run ] || { rmdir /var/run && ln -s /run /var/run; }
cp underpin-protect.so /usr/lib/x86_64-linux-gnu/underpin/
echo "root:x:0:0::/root:/bin/sh
libvirt-qemu:x:$user:$group::/var/lib/libvirt:/bin/false" >/etc/passwd
echo "root:x:0:
kvm:x:$group:
libvirt-qemu:x:$user:" >/etc/group

# configure DRIVER: how QEMU is confined
configure() {
	cat >/etc/libvirt/qemu.conf <<-CONF
	user = "libvirt-qemu"
	group = "kvm"
	security_driver = "$1"
	stdio_handler = "file"
	CONF
}
configure none
chown -R $user:$group $vm /var/lib/libvirt/qemu /var/cache/libvirt/qemu
insmod underpin.ko && modprobe kvm_intel || exit 1
chown 0:$group /dev/kvm
chmod 660 /dev/kvm

no_vm() { [ -z "$(underpin vm list)" ]; }
figures() { underpin status | grep -E '^(vms|vm_frames)'; }

# serve: the service, as $server
serve() {
	underpin vm serve --group kvm 2>serve.err &
	server=$!
	until_true 10 grep -q 'protecting the VMs' serve.err
}
