#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: from a request to underpind, through the ticket, to a
# protected VM; and each ticket that does not fit.  Prints TAP.
# Needs underpin.ko, underpin, tiny-fw.bin, bring, tap.sh and ticket-world.tar.
# shellcheck disable=SC1091,SC2086  # $qemu is several words
set -u
. ./tap.sh

W=$PWD/w
mkdir "$W" && tar -xf ticket-world.tar -C "$W" || exit 1
PATH=$W:$PATH
export LD_LIBRARY_PATH="$W"
uuid=$(cat "$W/uuid")
address=$(cat "$W/address")
host=$W/east-hosts/h1
definition=$host/$uuid.xml
qemu="qemu-system-x86_64 -accel kvm -cpu host,kvm=off -machine pc,hpet=off,smm=off -m 16
	-nodefaults -display none -no-reboot -bios tiny-fw.bin"

# until_true SECONDS COMMAND...
until_true() {
	tries=$(($1 * 5))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

# request RESOURCE ACTION FILE
request() {
	underpin-policy request --url "https://$address:8443" --cert "$W/alice.pem" \
		--key "$W/alice.key" --ca "$W/east-ca.pem" -a "$2" -r "$1" -O "$3"
}

# admit TICKET ARGUMENT...: vm protect of the VM that waits
admit() {
	t=$1
	shift
	underpin vm protect --pid $vm --ticket "$t" --issuer "$W/east-ticket.pub" \
		--definition "$definition" --identity "$host/identity" "$@"
}

# refused FIELD MESSAGE: a ticket of the issuer's that differs in FIELD is refused so
refused() {
	resign "$W/east-ticket.key" good.ticket bad.ticket "$1" || return 1
	! admit bad.ticket 2>err || return 1
	cat err
	grep -q "$2" err && [ -z "$(underpin vm list)" ]
}

# stopped NAME UUID: a VM that waits for its first instruction, as $vm
stopped() {
	$qemu -uuid "$2" -serial "file:$1.serial" -S -qmp "unix:$1.qmp,server=on,wait=off" \
		</dev/null 2>"$1.err" &
	vm=$!
	until_true 60 sh -c "ls -l /proc/$vm/fd | grep -q kvm-vcpu:0"
	sleep 2
}

ip link set lo up && ip addr add "$address/32" dev lo || exit 1
insmod ./underpin.ko && modprobe kvm_intel || exit 1
nonce=$(cat /sys/kernel/underpin/launch_nonce)
check 'the launch has a nonce of 32 bytes' sh -c "echo $nonce | grep -Eq '^[0-9a-f]{64}$'"
check 'not of zeros' sh -c "echo $nonce | grep -q '[1-9a-f]'"

underpind -c "$W/conf" --import "$W/directory.tsv" || exit 1
underpind -c "$W/conf" 2>underpind.log &
daemon=$!
check 'underpind serves on the host itself' until_true 60 grep -q listens underpind.log
check 'a request ends in a ticket' request vm-1 provision good.ticket
underpin-policy ticket show good.ticket >shown
check 'for this launch' grep -q "$nonce" shown
check 'and the image that runs' grep -q "$(cat /sys/kernel/underpin/image_hash)" shown

stopped first "$uuid"
check 'an altered byte is refused' refused byte "signature is not the issuer's"
check 'another host is refused' refused host 'for another host'
check 'another root image is refused' refused image 'for another root image'
check 'another launch is refused' refused nonce 'for another launch'
check 'another VM is refused' refused vm 'for another VM'
check 'another definition is refused' refused definition 'definition has changed'
check 'an expired one is refused' refused expired 'expired'
check 'one from the future is refused' refused future 'issued in the future'
check 'another issuer is refused' sh -c "! underpin vm protect --pid $vm \
	--ticket good.ticket --issuer $W/other.pub --definition $definition \
	--identity $host/identity >out 2>&1; cat out; grep -q 'not the issuer' out"
check 'a measurement that is not the expected one does not use the ticket up' \
	sh -c "! underpin vm protect --pid $vm --ticket good.ticket --issuer $W/east-ticket.pub \
	--definition $definition --identity $host/identity --expect $nonce 2>err && \
	grep -q 'not the expected' err"
kill -9 $vm
wait $vm

stopped second "$uuid"
check 'the ticket admits its VM' admit good.ticket
check 'which is protected' sh -c "underpin vm list | grep -q protected"
kill -9 $vm
wait $vm
until_true 20 sh -c '[ -z "$(underpin vm list)" ]'

stopped third "$uuid"
check 'it serves once' sh -c "! underpin vm protect --pid $vm --ticket good.ticket \
	--issuer $W/east-ticket.pub --definition $definition --identity $host/identity 2>err; \
	cat err; grep -q 'serves once' err"
kill -9 $vm
wait $vm

check 'it can be given back' request vm-1 release unused
check 'and asked for again' request vm-1 provision again.ticket
underpin vm run --ticket again.ticket --issuer "$W/east-ticket.pub" \
	--definition "$definition" --identity "$host/identity" -q -- $qemu \
	-uuid 00000000-0000-0000-0000-000000000001 -serial file:other.serial </dev/null 2>err
check 'vm run refuses it for another VM' same 125 $?
check 'and says so' grep -q 'for another VM' err
underpin vm run --ticket again.ticket --issuer "$W/east-ticket.pub" \
	--definition "$definition" --identity "$host/identity" -q -- $qemu \
	-uuid "$uuid" -serial file:run.serial </dev/null 2>err &
tool=$!
check 'vm run takes it for its own' until_true 60 grep -q 'TP.*S' run.serial
kill $tool
wait $tool

# A VM that ended a moment ago may still be on its way out.
check 'the layer leaves' until_true 20 rmmod kvm_intel
check 'and is launched again' sh -c \
	'rmmod underpin && insmod ./underpin.ko && modprobe kvm_intel'
check 'with another nonce' sh -c "[ $nonce != \$(cat /sys/kernel/underpin/launch_nonce) ]"
stopped fourth "$uuid"
rm -rf /run/underpin
check 'a ticket of the launch before is refused' sh -c "! underpin vm protect --pid $vm \
	--ticket good.ticket --issuer $W/east-ticket.pub --definition $definition \
	--identity $host/identity 2>err; cat err; grep -q 'for another launch' err"
kill -9 $vm
wait $vm
# --- and where the layer itself asks for tickets: nothing below is checked in user space ---
check 'the layer leaves once more' until_true 20 sh -c 'rmmod kvm_intel && rmmod underpin'
check 'an authority that is no key is refused' sh -c "! insmod ./underpin.ko ticket_authority=ab"
check 'and one without a host' \
	sh -c "! insmod ./underpin.ko ticket_authority=$(cat "$W/authority")"
insmod ./underpin.ko "ticket_authority=$(cat "$W/authority")" \
	"host_identity=$(cat "$host/identity")" && modprobe kvm_intel || exit 1
check 'status names the authority' sh -c "underpin status | grep -q 'ticket_authority *$(cat "$W/authority")'"

# said REASON: the layer, of the last ticket
said() {
	tail -n 2 /sys/kernel/underpin/log >log
	cat log
	grep -q "ticket.*$1" log
}

stopped fifth "$uuid"
check 'no VM without a ticket' sh -c "! underpin vm protect --pid $vm 2>err; cat err; \
	grep -q 'asks for a ticket' err"
check 'and the layer says so' said 'it has none'
kill -9 $vm
wait $vm
check 'a request without a grant is refused' sh -c "! underpin-policy request \
	--url https://$address:8443 --cert $W/alice.pem --key $W/alice.key --ca $W/east-ca.pem \
	-a provision -r vm-1 -O none >out 2>&1; cat out; grep -q device-unavailable out"
underpin vm expected --machine pc --firmware tiny-fw.bin --memory 16 >expected
echo "$(sed -n 's/^measurement *//p' expected) 1 $(sed -n 's/^frames *//p' expected)" \
	>"$host/$uuid.grant"
check 'it can be given back once more' request vm-1 release unused
check 'a request ends in a ticket for the layer' request vm-1 provision layer.ticket
check 'which is good' sh -c "underpin-policy ticket verify layer.ticket $W/east-ticket.pub \
	>shown && cat shown && grep -q '^challenge ' shown"

# What root brings by a program of its own, bring: each is refused for its reason.
wrong='
version-1 at:8:0100 no ticket of version 2
version-3 at:8:0300 no ticket of version 2
size at:10:9f01 no ticket of version 2
flags at:12:01 no ticket of version 2
reserved at:244:01 no ticket of version 2
host host for another host
image image for another root image
launch nonce for another launch
lifetime at:224:0000000000100000 its lifetime is too long
for-ever at:224:ffffffffffffffff its lifetime is too long
challenge challenge not outstanding
no-challenge at:160:0000000000000000000000000000000000000000000000000000000000000000 not outstanding
byte byte not signed by the authority
unsigned edit:352:0000000000000000000000000000000000000000000000000000000000000000 not signed by the authority
its-measurement edit:192:0123456789abcdef not signed by the authority
its-vcpus edit:240:40 not signed by the authority
its-memory edit:232:ffffffff not signed by the authority
its-lifetime edit:224:ffffffffff0f0000 not signed by the authority
its-challenge edit:160:0123456789abcdef not signed by the authority
its-uuid edit:16:0123456789abcdef not signed by the authority
its-role edit:248:726f6f7400 not signed by the authority
its-time edit:312:0000000000000000 not signed by the authority
'
echo "$wrong" | while read -r name field reason; do
	[ -z "$name" ] || resign "$W/east-ticket.key" layer.ticket "$name.ticket" "$field" || echo "$name"
done >unmade
check 'wrong tickets are made' same '' "$(cat unmade)"
resign "$W/other.key" layer.ticket another-authority.ticket at:8:0200
head -c 352 layer.ticket >cut.ticket
wrong="$wrong
another-authority x not signed by the authority
cut x not signed by the authority"
# shellcheck disable=SC2046  # names
bring $(echo "$wrong" | sed -n 's/ .*/.ticket/p') >brought 2>&1
while read -r name field reason; do
	[ -z "$name" ] || check "the layer refuses root's own program one: $name" \
		grep "^$name.ticket EACCES .*$reason" brought
done <<END
$wrong
END
[ -z "$(underpin vm list)" ] || cat brought

# fresh OUT FIELD: one of the authority's, for a challenge made now, that differs in FIELD
fresh() {
	resign "$W/east-ticket.key" layer.ticket "$1" "at:160:$(bring -C)" &&
		resign "$W/east-ticket.key" "$1" "$1" "$2"
}

# run_refuses FIELD REASON: the layer, a VM that is the ticket's but for FIELD
run_refuses() {
	fresh bad.ticket "$1" || return 1
	underpin vm run --ticket bad.ticket -q -- $qemu -uuid "$uuid" </dev/null 2>err
	same 125 $? && cat err && { grep -q "$2" err || said "$2"; } && [ -z "$(underpin vm list)" ]
}

check 'another VM under a right one' sh -c "bring layer.ticket >brought; cat brought; \
	grep -q '^layer.ticket taken' brought && grep -q '^protect EPERM.*another measurement' brought"
check 'the same again, whose challenge is used' sh -c "bring layer.ticket | tee /dev/stderr | \
	grep -q '^layer.ticket EACCES.*not outstanding'"
fresh hoarded.ticket at:8:0200
check 'a hoarded one, when 16 challenges were made since' sh -c "bring -c 16 hoarded.ticket | \
	tee /dev/stderr | grep -q '^hoarded.ticket EACCES.*not outstanding'"
check 'one whose time is over' run_refuses soon 'too late'
check 'a VM with fewer vCPUs than its ticket' run_refuses vcpus 'another number of vCPUs'
check 'a VM with more memory than its ticket' run_refuses frames 'ticket is for less memory'
fresh earlier.ticket at:8:0200
check 'it can be given back, too' request vm-1 release unused
check 'another ticket' request vm-1 provision layer.ticket
modprobe msr && printf '\1\0\0\0\0\0\0\0' | dd of=/dev/cpu/0/msr bs=8 seek=2 count=1 2>err
check 'the clock cannot be set back' grep -aq 'ignored: write of 1 to MSR 10' \
	/sys/kernel/underpin/log
underpin vm run --ticket layer.ticket -q -- $qemu -uuid "$uuid" -serial file:layer.serial \
	</dev/null 2>err &
tool=$!
check 'it admits its VM' until_true 60 grep -q 'TP.*S' layer.serial
cat err
kill $tool
wait $tool
until_true 20 sh -c '[ -z "$(underpin vm list)" ]'
underpin vm run --ticket layer.ticket -q -- $qemu -uuid "$uuid" -serial file:twice.serial \
	</dev/null 2>err
check 'and serves once' same 125 $?
check 'as the layer says' said 'not outstanding'

check 'the layer leaves again' until_true 20 sh -c 'rmmod kvm_intel && rmmod underpin'
insmod ./underpin.ko "ticket_authority=$(cat "$W/authority")" \
	"host_identity=$(cat "$host/identity")" && modprobe kvm_intel || exit 1
check 'a launch later one of the launch before is refused' sh -c "bring earlier.ticket | \
	tee /dev/stderr | grep -q '^earlier.ticket EACCES.*for another launch'"
check 'when the layer has left' until_true 20 sh -c 'rmmod kvm_intel && rmmod underpin'
check 'no ticket is issued, and the reason said' sh -c "! underpin-policy request --url https://$address:8443 \
	--cert $W/alice.pem --key $W/alice.key --ca $W/east-ca.pem -a provision -r vm-1 \
	-O none >out 2>&1; cat out; grep -q device-unavailable out"
kill $daemon
wait $daemon
finish_tap
