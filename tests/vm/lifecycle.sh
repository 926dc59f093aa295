#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: how protected VMs come and go.  Prints TAP.
# Needs underpin.ko, underpin, tiny-fw.bin (see tests/guest/tiny-fw.S) and tap.sh.
# shellcheck disable=SC1091,SC2086  # $qemu is several words
set -u
. ./tap.sh

qemu="qemu-system-x86_64 -accel kvm -cpu host,kvm=off -machine pc,hpet=off,smm=off -m 16
	-name guest=tiny -nodefaults -display none -no-reboot -bios tiny-fw.bin"

figures() { underpin status | grep -E '^(vms|vm_frames)'; }

no_vm() { [ -z "$(underpin vm list)" ]; }

# says FILE TEXT: the guest's serial port said so
says() { grep -q "$2" "$1"; }

# start NAME ARGUMENT...: underpin vm run in the background, until the guest runs
start() {
	log=$1.serial
	err=$1.err
	shift
	underpin vm run "$@" -- $qemu -serial "file:$log" >out 2>"$err" </dev/null &
	tool=$!
	until_true 30 says "$log" 'TP.*S' || { cat "$err" "$log"; return 1; }
}

# ended STATUS: the tool ends so, no VM is left, and the layer has no VM's frames
ended() {
	status=0
	wait "$tool" || status=$?
	same "$1" "$status" && until_true 10 no_vm && same "$before" "$(figures)"
}

quiet_dmesg() {
	! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|vmread failed|vmwrite failed|stay pinned'
}

dmesg -C
insmod ./underpin.ko && modprobe kvm_intel || exit 1

# The first VM may make the layer grow; figures count from the second on.
check 'a VM is protected and runs' start first
check 'vm list shows it' sh -c "underpin vm list | grep -Eq '^ +0 protected'"
check 'vm show tells its measurement' sh -c \
	"underpin vm show 0 -o json | grep -Eq '\"measurement\": *\"[0-9a-f]{64}\"'"
check 'and the name that QEMU has for it' sh -c "underpin vm list | grep ' tiny\$'"
# What does not change from one look to the next.
facts() {
	underpin vm list -o json "$@" | grep -E '"(id|state|pid|vcpus|frames|measurement)"'
	underpin status "$@" | grep -E '^(image_hash|launch_key|iommu|ram_frames) '
}
underpin check --report report >/dev/null
check 'a report has it, and the layer' same "$(facts)" "$(facts --replay report)"
check 'all of what was asked' same 10 "$(facts --replay report | wc -l)"
grep -qs nobody /etc/passwd || echo 'nobody:x:65534:65534::/:/bin/false' >>/etc/passwd
ip link set lo up
underpin ui 2>ui.err &
ui=$!
until_true 20 grep -q http: ui.err
# shellcheck disable=SC2016  # bash has them
page() {
	bash -c 'exec 3<>/dev/tcp/127.0.0.1/8378 &&
		printf "GET $0 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n" >&3 && cat <&3' "$1"
}
page /vms.json | grep -E '"(id|state|pid|vcpus|frames|measurement)"' >shown
check 'underpin ui shows it' same "$(facts | grep '"')" "$(cat shown)"
check 'to this machine, and as nobody' sh -c "
	grep '^Uid:.65534.65534' /proc/$ui/status && ss -ltn | grep -F 127.0.0.1:8378"
kill $ui
check 'and ends when it is told to' wait $ui
measured=$(underpin vm show 0 | sed -n 's/^measurement *//p')
check 'it is the one that was printed' grep -q "$measured" first.err
qemu_pid=$(pgrep -x qemu-system-x86)
check 'its memory is pinned' grep -Eq '^VmPin:.*[1-9]' "/proc/$qemu_pid/status"
check 'the module cannot be removed' sh -c '! rmmod underpin 2>/dev/null'
check 'it cannot be protected twice' sh -c \
	"underpin vm protect --pid $qemu_pid 2>&1 | grep -q 'protected already'"
kill -9 "$qemu_pid"
wait "$tool"
check 'SIGKILL of QEMU ends it' until_true 10 no_vm
before=$(figures)
pool_before=$(figure pool_free)

check 'another is protected with the expected measurement' start second --expect "$measured" -q
kill "$tool"
check 'SIGTERM to underpin ends QEMU in order' ended 0

check 'a third' start third -q
kill -9 "$tool"
wait "$tool"
check 'SIGKILL of underpin ends the VM' until_true 10 no_vm
check 'and QEMU' until_true 10 sh -c '! pgrep -x qemu-system-x86'

zeros=0000000000000000000000000000000000000000000000000000000000000000
underpin vm run --expect $zeros -- $qemu -serial file:never.serial >out 2>err </dev/null
check 'with another measurement than expected it does not run' same 125 $?
check 'and says so' grep -q 'not the expected one' err
check 'its first instruction was never reached' sh -c '[ ! -s never.serial ]'
check 'nothing is left of it' same "$before" "$(figures)"

$qemu -serial file:two.serial -smp 2 -S </dev/null &
tool=$!
until_true 10 sh -c "ls -l /proc/$tool/fd | grep -q kvm-vcpu:1"
underpin vm protect --pid $tool >out 2>err
check 'two vCPUs are bound' same 0 $?
kill -9 $tool
wait $tool
check 'and everything given back' same "$before" "$(figures)"

$qemu -serial file:ran.serial </dev/null &
tool=$!
until_true 30 says ran.serial 'TU.*S'
underpin vm protect --pid $tool >out 2>err
check 'a VM that has run is refused' same 1 $?
check 'with the cure' grep -q 'has run already' err
kill -9 $tool
wait $tool

mkfifo monitor.in monitor.out
$qemu -serial file:released.serial -S -chardev pipe,id=m,path=monitor \
	-mon chardev=m </dev/null 2>released.err &
tool=$!
exec 3>monitor.in
cat monitor.out >monitor.log &
# QEMU answers when it has set the machine up: before, it still writes to its memory.
echo 'info status' >&3
until_true 30 grep -q 'VM status' monitor.log
check 'a stopped QEMU is protected by its process number' underpin vm protect --pid $tool
echo cont >&3
check 'and runs when it is let go' until_true 30 says released.serial 'TP.*S'
id=$(underpin vm list | awk 'NR == 2 { print $1 }')
check 'it is released while it runs' sh -c "underpin vm release -o json $id | grep '\"released\": *$id'"
check 'no VM is left' no_vm
kill -9 $tool
wait $tool
check 'the frames are back' same "$before" "$(figures)"

# The host's own table takes a few frames wherever Linux first goes.
check 'the pool is as full as before' [ "$(figure pool_free)" -ge $((pool_before - 16)) ]
check 'the module can be removed' sh -c 'rmmod kvm_intel && rmmod underpin'
check 'nothing in the kernel log' quiet_dmesg
finish_tap
