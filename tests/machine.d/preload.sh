#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: a VMM without privileges, and with the preloaded library, has its
# VM protected by "underpin vm serve".  Prints TAP.  Needs underpin.ko, underpin,
# underpin-protect.so, ask, tiny-fw.bin, tap.sh, lib.sh, and expected.tiny.
# shellcheck disable=SC1091,SC2086  # $tiny is several words
set -u
. ./tap.sh
. ./lib.sh

group=64000
user=64055
socket=/run/underpin/protect
measurement=$(awk '$1 == "measurement" { print $2 }' expected.tiny)
wrong=$(echo "$measurement" | tr 0-9a-f 1-9a-f0)
vm=/tmp/vm
tiny="qemu-system-x86_64 -machine pc,hpet=off,smm=off,accel=kvm -cpu host,kvm=off -nodefaults
	-no-reboot -display none -m 16 -bios $vm/tiny-fw.bin -serial file:$vm/serial"

mkdir $vm
cp tiny-fw.bin underpin-protect.so ask $vm
chown -R $user $vm
echo "kvm:x:$group:" >/etc/group
insmod underpin.ko && modprobe kvm_intel || exit 1
chmod 666 /dev/kvm

as_user() { setpriv --reuid $user --regid $user --groups "$groups" "$@"; }
# vmm [VARIABLE=VALUE...]: QEMU with the library, as libvirt would start it, plainly
vmm() {
	rm -f $vm/serial
	as_user env LD_PRELOAD=$vm/underpin-protect.so "$@" $tiny </dev/null >out 2>err
}
groups=$group

serve() {
	underpin vm serve --group kvm "$@" 2>serve.err &
	server=$!
	until_true 10 grep -q 'protecting the VMs' serve.err
}
stop_serving() {
	kill "$server"
	wait "$server"
}
no_vm() { [ -z "$(underpin vm list)" ]; }
says() { until_true 60 grep -q "$1" $vm/serial || { cat err; return 1; }; }
figures() { underpin status | grep -E '^(vms|vm_frames)'; }
goes_on() { # the guest, with its checks
	n=$(wc -c <$vm/serial)
	until_true 20 sh -c "[ \$(wc -c <$vm/serial) -gt $((n + 5)) ]"
}
# does_not_run PATTERN [VARIABLE=VALUE...]
does_not_run() {
	pattern=$1
	shift
	status=0
	vmm "$@" || status=$?
	same 125 $status && has err "$pattern" && [ ! -s $vm/serial ] && until_true 20 no_vm
}

check 'it serves' serve
check 'its socket is for root and the group' same "660 $group" "$(stat -c '%a %g' $socket)"
check 'a second one finds out' refused 'somebody serves there already' underpin vm serve
before=$(figures)

# --- a VMM without privileges

vmm "UNDERPIN_EXPECT=$measurement" &
tool=$!
check 'a VM of an unprivileged VMM runs, protected' says 'TP[DN].*S'
check 'the layer knows it' sh -c 'underpin vm show 0 >shown; cat shown'
check 'with the measurement that was computed elsewhere' has shown "^measurement *$measurement"
check 'and the VMM says so' has err "VM 0 protected: .* measurement $measurement"
check 'the user may not open the device' \
	refused 'ermission denied' as_user cat /dev/underpin
check 'the service says whose it was' has serve.err "of user $user: VM 0 protected"
kill -9 "$server"
wait "$server" 2>/dev/null
check 'it goes on when the service has been killed' goes_on
check 'and is protected' sh -c 'underpin vm show 0 | grep "^state *protected"'
pkill -9 -x qemu-system-x86
wait $tool 2>/dev/null
check 'it ends with its VMM' until_true 20 no_vm
check 'its frames are back' same "$before" "$(figures)"

# --- what does not run

check 'without a service it does not run' does_not_run 'nobody serves there'
check 'a service takes the place of one that was killed' serve --max-memory 8
check 'another measurement: it does not run' does_not_run 'not the expected one' UNDERPIN_EXPECT=$wrong
check 'more memory than is allowed: it does not run' does_not_run 'and --max-memory allows 8'
check 'an expectation that is none' does_not_run 'not a SHA-256' UNDERPIN_EXPECT=12
check 'frames are back' same "$before" "$(figures)"
groups=$user
check 'a user of no such group may not ask' does_not_run 'Permission denied'
groups=$group
stop_serving

rm -f $vm/serial
as_user $tiny </dev/null >out 2>err &
tool=$!
check 'without the library it runs, and its guest sees that it is not protected' says 'TU'
pkill -9 -x qemu-system-x86
wait $tool 2>/dev/null

# --- a taken-over VMM

serve --socket $socket
ask() { as_user $vm/ask $socket "$@"; }
check 'who has no VM gets none' sh -c "$(command -v setpriv) --reuid $user --regid $user \
	--groups $group $vm/ask $socket right | grep '^1 .*process'"
for what in version flags short empty; do
	check "a malformed question ($what) gets no answer" same 'no answer' "$(ask $what)"
done
mkfifo hold
ask silent 40 <hold >silent.out &
exec 3>hold
until_true 10 grep -q connected silent.out
vmm "UNDERPIN_EXPECT=$measurement" &
tool=$!
check 'forty connections that say nothing do not keep a VM from being served' says 'TP[DN].*S'
exec 3>&-
pkill -9 -x qemu-system-x86
wait $tool 2>/dev/null
check 'no VM is left' until_true 20 no_vm
stop_serving
check 'nothing in the kernel log' quiet_dmesg
finish_tap
