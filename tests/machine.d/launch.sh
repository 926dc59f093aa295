#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: launch.sh IMAGE-HASH CYCLES.  Prints TAP.
# Into the layer and out of it, and who is refused.  Needs underpin.ko, underpin,
# look (tests/machine.d/look.c), vmxon.ko and kvmcall.ko (tests/vmxon), tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

hash=$1
cycles=$2
cpus=$(nproc)
ok() { name=$1; shift; check "$cpus CPU: $name" "$@"; }

in_json() { has status.json "\"$1\": *$2,?\$"; }

# Only what differs is shown.
view_is_the_same() {
	./look cpu >view.now
	diff view.before view.now
}

# The TSC and another clock went on together: 25 ticks of the timer are 7 us.
clock_is_the_same() {
	# shellcheck disable=SC2086  # two words
	off=$(./look clock $clock) && echo "off by $off ticks" && [ "$off" -le 25 ]
}

all_demoted() {
	same "$cpus" "$(awk '$2 == 1' /sys/kernel/underpin/cpus | wc -l)"
}

# At least 99 of 100 mapped frames by 2 MiB; and nearly all of RAM was mapped.
large_mappings() {
	large=$(figure host_2m)
	all=$((large + $(figure host_4k)))
	ram=$(($(figure ram) - $(figure pool)))
	echo "$large of $all mapped frames by 2 MiB; RAM without the layer's: $ram"
	[ $((large * 100)) -ge $((all * 99)) ] && [ $((all * 100)) -ge $((ram * 99)) ]
}

# Somewhat nice: in an emulator, 50 times in and out take a minute as it is.
load_begins() {
	i=0
	while [ $i -lt "$cpus" ]; do
		# shellcheck disable=SC2016
		nice -n 5 sh -c 'while :; do x=$((x + 1)); done' &
		load="$load $!"
		i=$((i + 1))
	done
	nice -n 5 sh -c 'while :; do
		dd if=/dev/sdb of=/load bs=64k count=4 iflag=direct conv=fsync; sleep 0.02
	done' >/dev/null 2>&1 &
	load="$load $!"
}
load=

load_ends() {
	# shellcheck disable=SC2086  # several numbers
	kill $load
	wait
}

cycle() {
	n=0
	while [ $n -lt "$cycles" ]; do
		insmod underpin.ko && all_demoted && rmmod underpin || return 1
		n=$((n + 1))
	done
}

# Updates of microcode (MSR 0x79) are refused with a line each; 120 of them are more than
# the page in which the host side reads the layer's log, and the page ends within a line.
refuse_updates() { ./look wrmsr 0x79 256 120; }
each_refusal_once() {
	sed -n 's/.*underpin: root: ignored: write of \([0-9a-f]*\) to MSR 79$/0x\1/p' log |
		xargs printf '%d\n' >refusals
	seq 256 375 | diff - refusals
}

modprobe msr
./look cpu >view.before
clock=$(./look clock)

# For the suite, which sees the same elsewhere.
underpin check --report report.json >rows
sed 's/^/# row: /' rows
gzip -c report.json | base64 | sed 's/^/# report: /'

ok 'insmod' insmod underpin.ko
underpin status -o json >status.json
ok 'status says that it runs' in_json state '"running"'
ok 'every CPU is demoted' in_json cpus_demoted "$cpus"
ok 'none is missing' in_json cpus_online "$cpus"
ok 'what runs is what was built' in_json image_hash "\"$hash\""
ok 'sysfs says the same' same "running $hash" \
	"$(cat /sys/kernel/underpin/state /sys/kernel/underpin/image_hash | tr '\n' ' ' | sed 's/ $//')"
ok 'CPUID and MSRs look as before' view_is_the_same
ok 'the TSC has not jumped' clock_is_the_same
./look ram >/dev/null
ok '99 % of RAM, once touched, is mapped by 2 MiB' large_mappings
ok 'the layer takes no more memory than it may' memory_bound 0
ok 'a second insmod is refused' refused 'File exists' insmod underpin.ko

ok 'rmmod' rmmod underpin
ok 'nothing is left' gone
ok 'CPUID and MSRs look as before, afterwards' view_is_the_same
ok 'the TSC has not jumped, afterwards' clock_is_the_same

load_begins
ok "$cycles times in and out under load" cycle
load_ends
ok 'CPUID and MSRs still look as before' view_is_the_same
ok 'the TSC still has not jumped' clock_is_the_same

if [ "$cpus" -gt 1 ]; then
	echo 0 >/sys/devices/system/cpu/cpu1/online
	ok 'with a CPU offline insmod is refused, with the cure' \
		refused 'APIC id 1 is enabled by firmware but not online: echo 1 >' insmod underpin.ko
	ok 'underpin check says the same, as with a CPU offline' agrees
	ok 'and nothing has changed, as with a CPU offline' gone
	echo 1 >/sys/devices/system/cpu/cpu1/online
fi

# Another hypervisor, on the last CPU.  Only the kernel can see it there.
last=$((cpus - 1))
insmod vmxon.ko cpu=$last
underpin check >check.out
ok 'with VMX in use insmod is refused, with CPU and cure' refused \
	"refused: CPU $last: VMX is in use \(CR4.VMXE\): unload the other hypervisor" insmod underpin.ko
ok 'there VMCALL fails, which is no answer of a layer' \
	same -19 "$(cat /sys/module/vmxon/parameters/answer)"
ok 'underpin check leaves that to insmod' has check.out '^SKIP +vmx-off .*insmod looks itself$'
ok 'and nothing has changed, as with VMX in use' gone
rmmod vmxon
ok 'without the other hypervisor insmod succeeds' insmod underpin.ko
rmmod underpin

modprobe kvm_intel
ok 'with kvm_intel loaded insmod is refused, with the cure' \
	refused "kvm_intel is loaded: stop all VMs, 'modprobe -r kvm_intel'" insmod underpin.ko
ok 'underpin check says the same, as with kvm_intel' agrees
ok 'and nothing has changed, as with kvm_intel' gone
modprobe -r kvm_intel
ok 'the cure cures' insmod underpin.ko

ok "a hypercall of KVM's is an invalid opcode" \
	refused 'Operation not supported' insmod kvmcall.ko number=10
ok 'and the log names it' has /sys/kernel/underpin/log "denied: VMCALL a: no call of the layer's"

ok 'the last rmmod' rmmod underpin
ok 'nothing in the kernel log' quiet_dmesg
if [ "$cpus" -gt 1 ]; then
	insmod underpin.ko
	mark
	echo 0 >/sys/devices/system/cpu/cpu1/online
	since_mark >log
	ok 'a CPU that goes offline says what rmmod needs' \
		has log 'rmmod is refused until it is online again'
	ok 'with it offline rmmod is refused' refused 'in use' rmmod underpin
	ok 'and the offline CPU stays demoted' all_demoted
	refuse_updates
	echo 1 >/sys/devices/system/cpu/cpu1/online
	ok 'brought back it is online' same 1 "$(cat /sys/devices/system/cpu/cpu1/online)"
	ok 'it works' taskset -c 1 true
	ok 'and is demoted' all_demoted
	since_mark >log
	ok 'which the kernel log says' has log 'CPU 1: started again at .*, demoted'
	ok "behind more than a page of the layer's log, of which no line is lost" each_refusal_once
	ok 'nothing in the kernel log, as after a restart' quiet_dmesg
	ok 'rmmod after a restart' rmmod underpin
	ok 'nothing is left, as after a restart' gone
fi

finish_tap
