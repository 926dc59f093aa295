#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a machine that nested KVM gives, with VT-d, edu and a network device of virtio's:
# devices beneath the layer as their drivers, operators and VMs use them.  Prints TAP.  Needs
# underpin.ko, underpin, tiny-fw.bin, dmamap.ko (tests/dma), tap.sh and lib.sh.
# shellcheck disable=SC1091,SC2086,SC3025  # $tiny is several words; bash has /dev/tcp
set -u
. ./tap.sh
. ./lib.sh

MAPPINGS=512
tiny="qemu-system-x86_64 -machine pc,hpet=off,smm=off,accel=kvm -cpu host,kvm=off -nodefaults
	-no-reboot -display none -m 16 -bios tiny-fw.bin -serial file:tiny.serial"

# When a step begins, by the machine's own clock, and the figures of the one before.
step() {
	sed 's/^/# /' figures && : >figures
	sed "s/ .*/ s: $*/; s/^/# /" /proc/uptime
}

# device VENDOR DEVICE: its name in sysfs
device() {
	for dev in /sys/bus/pci/devices/*; do
		[ "$(cat "$dev/vendor" "$dev/device" | tr '\n' ' ')" != "$1 $2 " ] || basename "$dev"
	done
}

edu=$(device 0x1234 0x11e8)
net=$(device 0x1af4 0x1041)

transitions() { awk '{ sum += $3 } END { print sum + 0 }' /sys/kernel/underpin/cpus 2>/dev/null; }
exits() { cat /sys/kernel/underpin/exits_host 2>/dev/null; }

# counted WHAT COMMAND...: its time, how often the CPU went to the layer meanwhile, and why
# (reason 10 is CPUID, which each program executes when it starts; 48 an EPT violation)
counted() {
	what=$1
	shift
	before=$(transitions)
	exits >exits.before
	start=$(date +%s%N)
	"$@" || return 1
	end=$(date +%s%N)
	n=$(($(transitions) - ${before:-0}))
	exits | awk 'NR == FNR { n[$1] = $2; next }
		$2 > n[$1] { printf ", reason %s: %d", $1, $2 - n[$1] }' exits.before - >exits.why
	echo "$where: $what: $(((end - start) / 1000)) us, $n transitions$(cat exits.why)" >>figures
}

reads() { dd if=/var/more of=/dev/null bs=256k iflag=direct status=none; }
writes() { dd if=/dev/zero of=/var/more bs=256k count=128 oflag=direct conv=notrunc status=none; }
disk_works() {
	counted "the disk writes 32 MiB" writes && counted "it reads them" reads &&
		dd if=written of=/var/disk bs=256k oflag=direct conv=notrunc status=none &&
		dd if=/var/disk bs=256k iflag=direct status=none | cmp - written
}

# disk_at_work COMMAND...: with the disk at it all the while
disk_at_work() {
	rm -f enough disk.failed
	while [ ! -e enough ]; do
		dd if=/var/disk bs=256k iflag=direct status=none | cmp - written || : >disk.failed
	done &
	load=$!
	"$@"
	worked=$?
	: >enough
	wait $load
	[ ! -e disk.failed ] && return $worked
}

network_up() {
	link=$(basename /sys/bus/pci/devices/$net/virtio*/net/*)
	ip link set "$link" up && ip address add 10.0.2.15/24 dev "$link"
}

# What its peer is told comes back.
echoes() {
	bash -c 'exec 3<>/dev/tcp/10.0.2.100/7 && { head -c $1 written >&3 & } && head -c $1 <&3 >heard' \
		bash "$1"
	cmp -n "$1" heard written && [ "$(stat -c %s heard)" = "$1" ]
}
network_works() { counted "the network takes 1 MiB and brings it back" echoes 1048576; }

# What a map and an unmap take: their ticks, and with one of each what all the rest takes
maps() { insmod dmamap.ko n="$1" && rmmod dmamap; }
mappings() {
	dmesg -C
	counted "one mapping" maps 1 && counted "$MAPPINGS mappings" maps $MAPPINGS || return 1
	dmesg | sed -n "s/.*\(map [0-9]* unmap [0-9]* ticks\)/$where: \1/p" | tail -n 1 >>figures
	dmesg | grep -q 'map [0-9]* unmap'
}

driver() { echo "$net" >/sys/bus/pci/drivers/virtio-pci/"$1"; }
group_type() { cat /sys/bus/pci/devices/"$1"/iommu_group/type; }
changes_type() {
	driver unbind && echo "$1" >/sys/bus/pci/devices/$net/iommu_group/type &&
		driver bind && until_true 10 network_up && group_type $net | grep -x "$1"
}

no_fault() { has /sys/kernel/underpin/iommu '^faults 0$'; }
no_vm() { [ -z "$(underpin vm list)" ]; }

works() {
	where=$1
	counted "nothing" true
	check "$1: the disk works" disk_works
	check "$1: the network works" counted "the network takes 8 MiB and brings them back" echoes 8388608
	check "$1: a driver maps and unmaps" mappings
}

# --- a device of a VM's ------------------------------------------------------------------

give_edu() {
	modprobe vfio-pci &&
		echo vfio-pci >/sys/bus/pci/devices/$edu/driver_override &&
		echo $edu >/sys/bus/pci/drivers_probe && [ -e /sys/bus/pci/drivers/vfio-pci/$edu ]
}

# starts PATTERN COMMAND...: in the background, until the guest has said so.  edu is its device 5.
starts() {
	pattern=$1
	shift
	rm -f tiny.serial ./*.in ./*.out
	mkfifo monitor.in monitor.out bus.in bus.out
	cat monitor.out >/dev/null &
	cat bus.out >/dev/null &
	"$@" -device vfio-pci,host=$edu,addr=5 -chardev pipe,id=m,path=monitor -mon m \
		-qtest pipe:bus -qtest-log /dev/null >out 2>err </dev/null &
	vm=$!
	until_true 200 grep -q "$pattern" tiny.serial || { cat out err tiny.serial; return 1; }
}

ends() {
	pkill -9 -x qemu-system-x86
	wait $vm
	until_true 20 no_vm
}

# QEMU's bus, as the VM's processor would use it: its driver of edu is here.
PORT=0x80002800 REGISTERS=0xe0000000
drives() {
	echo "outl 0xcf8 $((PORT + 0x10))" && echo "outl 0xcfc $REGISTERS" &&
		echo "outl 0xcf8 $((PORT + 4))" && echo "outl 0xcfc 6" &&
		for part in "$1 0x40000 1" "0x40000 $2 3"; do
			set -- $part
			echo "writeq $((REGISTERS + 0x80)) $1" && echo "writeq $((REGISTERS + 0x88)) $2" &&
				echo "writeq $((REGISTERS + 0x90)) 4088" &&
				echo "writeq $((REGISTERS + 0x98)) $3" && sleep 0.5
		done
}

# The device copies the page of the guest's secret to one that the guest never touches, both
# by their addresses in the VM.
FROM=0x200000 TO=0x380000
copies() {
	drives $FROM $TO >bus.in
	memory of.from $FROM && memory of.to $TO && [ "$(tr -d '\0' <of.from | wc -c)" -gt 8 ] &&
		cmp -n 4088 of.from of.to
}

# memory FILE ADDRESS: a page of the VM's, as QEMU has it
memory() {
	rm -f "$1"
	echo "pmemsave $2 4096 $1" >monitor.in
	until_true 10 sh -c "[ \"\$(stat -c %s $1)\" = 4096 ]"
}

# Without translation there are no groups, and no device is a VM's.
group=/sys/bus/pci/devices/$net/iommu_group

types() {
	type=$(group_type $net)
	for new in DMA identity DMA-FQ "$type"; do
		check "the device's group becomes $new" changes_type $new
		where="group type $new"
		check "$new: the network works" network_works
		check "$new: no device has been refused anything" no_fault
	done
}

vms() {
	step "a device of an ordinary VM's"
	check 'vfio-pci takes edu' give_edu
	check 'an ordinary VM with edu runs' starts 'TU.*S' $tiny
	check 'the device copies within the VM' copies
	check 'the VM ends' ends
	check 'no device has been refused anything' no_fault
	check 'another one runs, with the disk at work' disk_at_work starts 'TU.*S' $tiny
	check 'the device copies within the VM' copies
	check 'the VM ends' ends
	check 'no device has been refused anything' no_fault

	step "a device of a protected VM's"
	check 'a protected VM with edu runs' starts 'TP[DN].*S' underpin vm run -- $tiny
	drives $FROM $TO >bus.in
	check 'the device is refused its memory' lacks /sys/kernel/underpin/iommu '^faults 0$'
	said=$(stat -c %s tiny.serial)
	check 'the VM goes on' until_true 20 sh -c "[ \$(stat -c %s tiny.serial) -gt $((said + 4)) ]"
	check 'and misses nothing' lacks tiny.serial X
	check 'the VM ends' ends
	echo $edu >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >/sys/bus/pci/devices/$edu/driver_override
}

: >figures
step "the host"
modprobe virtio_pci
modprobe virtio_net
dd if=/dev/urandom of=written bs=1M count=8 status=none
cp written /var/disk
writes		# room for more, too
check 'the network comes up' until_true 20 network_up
works bare
check 'insmod' insmod underpin.ko
check 'it has the units of VT-d' has /sys/kernel/underpin/iommu '^(full|partial)$'
works beneath
works again
check 'KVM starts above it' modprobe kvm_intel

step "drivers come and go"
check 'a driver lets its device go, and takes it again' sh -c "
	echo $net >/sys/bus/pci/drivers/virtio-pci/unbind &&
	echo $net >/sys/bus/pci/drivers/virtio-pci/bind"
check 'the network comes up again' until_true 20 network_up
check 'and works' network_works
[ ! -e $group ] || types

step "an MTRR, with the disk at work"
check 'an MTRR is set and cleared with the disk at work' disk_at_work sh -c '
	for i in 1 2 3; do
		echo "base=0xd0000000 size=0x1000000 type=uncachable" >/proc/mtrr &&
			sleep 0.2 && echo "disable=$(grep -c . /proc/mtrr | awk "{ print \$1 - 1 }")" >/proc/mtrr ||
			exit 1
	done'
check 'no device has been refused anything' no_fault

[ ! -e $group ] || vms
check 'the network works' network_works
check 'the disk works' disk_works

step "out"
check 'rmmod' sh -c 'rmmod kvm_intel && rmmod underpin'
works "bare again"
check 'nothing of the layer is left' gone
check 'nothing in the kernel log' quiet_dmesg
step "the end"
finish_tap
