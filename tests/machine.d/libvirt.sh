#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: libvirt's daemon as Debian ships it, QEMU without privileges, and a
# domain that is a protected VM under plain commands of virsh's.  Prints TAP.  Needs underpin.ko,
# underpin, underpin-protect.so, tiny-fw.bin, more.tar (tests/lib/more_packages.py), tap.sh,
# lib.sh, libvirt-host.sh, virsh.table, virsh-host.table and expected.tiny.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh
# shellcheck source=tests/machine.d/libvirt-host.sh
. ./libvirt-host.sh

measurement=$(awk '$1 == "measurement" { print $2 }' expected.tiny)
wrong=$(echo "$measurement" | tr 0-9a-f 1-9a-f0)
work=$PWD
cp tiny-fw.bin $vm

# An ordinary domain
cat >tiny.xml <<XML
<domain type='kvm'>
  <name>tiny</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <loader type='rom'>$vm/tiny-fw.bin</loader>
  </os>
  <features><acpi/><kvm><hidden state='on'/></kvm><smm state='off'/></features>
  <cpu mode='host-passthrough'/>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='file'><source path='$vm/serial'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
XML

says() { until_true 60 grep -q "$1" $vm/serial || { cat "/var/log/libvirt/qemu/tiny.log"; return 1; }; }
goes_on() {
	n=$(wc -c <$vm/serial)
	until_true 20 sh -c "[ \$(wc -c <$vm/serial) -gt $((n + 5)) ]"
}
start() { : >$vm/serial; chown $user $vm/serial; virsh start "$1"; }

libvirtd >libvirtd.log 2>&1 &
daemon=$!
check 'libvirtd runs' until_true 60 virsh list
serve
before=$(figures)

check 'a domain is defined' virsh define tiny.xml
underpin libvirt check tiny >check.out
check 'it is said not to be protected, and the cure' \
	has check.out 'required: underpin libvirt enable'
check 'it is to be protected' underpin libvirt enable --expect "$measurement" tiny
check 'nothing stands in the way' underpin libvirt check tiny
check 'and started, plainly' start tiny
check 'its guest runs, protected' says 'TP[DN].*S'
check 'QEMU is not root' \
	same "$user" "$(stat -c %u "/proc/$(pgrep -x qemu-system-x86 | head -n 1)")"
check 'the layer knows it' sh -c 'underpin vm show 0 >shown; cat shown'
check 'with the measurement that was computed elsewhere' has shown "^measurement *$measurement"
check "so says the domain's log" has /var/log/libvirt/qemu/tiny.log "VM 0 protected: .* $measurement"

# --- what virsh's commands do to it: lines "STATUS|GUEST|PATTERN|COMMAND" of virsh.table

# A disk and a network card that come and go.
truncate -s 1M $vm/disk
cat >nic.xml <<'XML'
<interface type='user'>
  <mac address='52:54:00:00:00:07'/>
  <model type='virtio'/>
  <rom enabled='no'/>
</interface>
XML

# What became of the guest: lives, stops or ends; it runs again behind that.
fate() {
	state=$(virsh domstate tiny | head -n 1)
	case $state in
	running) goes_on && echo lives ;;
	paused) virsh resume tiny >/dev/null && goes_on && echo stops ;;
	*) echo ends; until_true 20 no_vm; start tiny >/dev/null && says 'TP[DN].*S' ;;
	esac
}

# each TABLE: every row of it
each() {
	while IFS='|' read -r status guest pattern command; do
		case $status in '#'*|'') continue ;; esac
		got=0
		sh -c "virsh $command" >out 2>&1 </dev/null || got=$?
		sed 's/^/#   /' out
		fate=$(fate)
		check "virsh $command: status $status, the guest $guest" sh -c \
			"echo 'status $got, it $fate'; cat out; echo $got | grep -qx '$status' &&
			 [ '$fate' = $guest ] && grep -qE '$pattern' out"
	done <"$1"
}
each virsh.table

check 'virsh destroy ends it' virsh destroy tiny
check 'no VM is left' until_true 20 no_vm
check 'its frames are back' same "$before" "$(figures)"

# --- what does not start

check 'it is to measure something else' underpin libvirt enable --expect "$wrong" tiny
start tiny >start.out 2>&1
sed 's/^/# /' start.out
check 'another measurement: it does not run' \
	sh -c 'virsh domstate tiny | grep "shut off"; [ ! -s '$vm/serial' ]'
check "and the domain's log says why" has /var/log/libvirt/qemu/tiny.log 'not the expected one'
kill $server
wait $server
check 'anything will do' underpin libvirt enable tiny
start tiny >start.out 2>&1
sed 's/^/# /' start.out
check 'without the service it does not run' \
	sh -c 'virsh domstate tiny | grep "shut off"; [ ! -s '$vm/serial' ]'
check "and the log names the cure" has /var/log/libvirt/qemu/tiny.log 'nobody serves there'
check 'it is an ordinary domain again' underpin libvirt disable tiny
check 'without the library it starts' start tiny
check 'and its guest sees that it is not protected' says 'TU'
virsh destroy tiny >/dev/null

# --- twenty in turn, three at once, and daemons killed

serve
check 'it is to be protected again' underpin libvirt enable --expect "$measurement" tiny
turn() { start tiny && says 'TP[DN].*S' && virsh destroy tiny && until_true 20 no_vm; }
twenty() {
	for i in $(seq 20); do
		turn >out 2>&1 || { echo "the ${i}th"; cat out; return 1; }
	done
}
turn >/dev/null
free=$(free_kib)
check 'twenty in turn' twenty
check 'frames are back' same "$before" "$(figures)"
now=$(free_kib)
check "the host's memory is, too: $free KiB were free, $now are" [ "$now" -gt $((free - 16384)) ]

# all_run: each says so
all_run() {
	for name in two three four; do
		until_true 60 grep -q 'TP[DN].*S' "$vm/$name" || return 1
	done
	same 3 "$(underpin vm list | grep -c protected)"
}
for name in two three four; do
	sed "s|<name>tiny|<name>$name|; s|$vm/serial|$vm/$name|" tiny.xml >"$name.xml"
	virsh define "$name.xml" && underpin libvirt enable --expect "$measurement" "$name"
	virsh start "$name" &
	starts="${starts:-} $!"
done >out 2>&1
wait ${starts:-}
check 'three at once run, protected' all_run
kill -9 $server
wait $server 2>/dev/null
check 'the service is killed: they run on' same 3 "$(underpin vm list | grep -c protected)"
serve
fourth() { start tiny && says 'TP[DN].*S' && virsh destroy tiny; }
check 'a new one protects the next' fourth
for name in two three four; do
	virsh destroy "$name" && virsh undefine "$name"
done >out 2>&1
check 'no VM of theirs is left' until_true 20 no_vm
check 'nor a frame' same "$before" "$(figures)"
start tiny >/dev/null
check 'started again' says 'TP[DN].*S'
kill -9 $daemon
wait $daemon 2>/dev/null
check 'libvirtd is killed: the VM goes on' goes_on
libvirtd >libvirtd.log 2>&1 &
daemon=$!
until_true 60 virsh list
check 'a new one finds it running' sh -c 'virsh domstate tiny | grep running'
pkill -9 -x qemu-system-x86
check 'its QEMU is killed: no VM is left' until_true 20 no_vm
check 'and libvirt knows' until_true 20 sh -c 'virsh domstate tiny | grep "shut off"'
check 'its frames are back' same "$before" "$(figures)"

# --- with cgroups and terminals, as a host has them

kill $daemon
wait $daemon
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /run/lock
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts
[ -e /var/lock ] || ln -s /run/lock /var/lock
libvirtd >libvirtd.log 2>&1 &
daemon=$!
check 'libvirtd runs with cgroups' until_true 60 virsh list
echo "<serial type='pty'><target port='1'/></serial>" >pty.xml
check 'the domain gets a console' virsh attach-device tiny pty.xml --config
check 'it is started' start tiny
check 'and runs, protected' says 'TP[DN].*S'
each virsh-host.table
# Five seconds, then what leaves it.
console() {
	(sleep 5; printf '\035') |
		timeout 60 script -qec 'virsh console tiny --devname serial1' console.out &&
		has console.out 'Connected to domain' && lacks console.out 'error:'
}
check 'virsh console leads to it, and away' console
check 'which goes on behind that' goes_on
virsh destroy tiny
check 'no VM is left of it' until_true 20 no_vm
check 'its frames are back again' same "$before" "$(figures)"
kill $server $daemon
wait
cd "$work" || exit 1
# A QEMU that reads a protected VM's memory, as "virsh save" has it do, gets SIGSEGV.
dmesg | grep -v 'segfault at .* in qemu-system-x86' >all.log
check 'nothing else in the kernel log' \
	lacks all.log 'BUG|WARNING|Oops|Call Trace|general protection|segfault|stay pinned'
finish_tap
