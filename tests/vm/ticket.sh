#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: from a request to underpind, through the ticket, to a
# protected VM; and each ticket that does not fit.  Prints TAP.
# Needs underpin.ko, underpin, tiny-fw.bin, tap.sh and ticket-world.tar.
# shellcheck disable=SC1091,SC2086  # $qemu is several words
set -u
. ./tap.sh

W=$PWD/w
mkdir "$W" && tar -xf ticket-world.tar -C "$W" || exit 1
PATH=$W:$PATH
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
check 'when the layer has left' until_true 20 sh -c 'rmmod kvm_intel && rmmod underpin'
check 'no ticket is issued, and the reason said' sh -c "! underpin-policy request --url https://$address:8443 \
	--cert $W/alice.pem --key $W/alice.key --ca $W/east-ca.pem -a provision -r vm-1 \
	-O none >out 2>&1; cat out; grep -q device-unavailable out"
kill $daemon
wait $daemon
finish_tap
