#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: bench.sh bare|underpin|kvm_on_kvm.  Prints lines
#	op NAME TICKS TRANSITIONS	exit REASON COUNT	memory KIB BOUND	report P50 MOST
# Needs look, tiny, and underpin.ko, underpin, or nested.initrd (tests/bench).
set -u

transitions() {
	if [ "$mode" = underpin ]; then
		awk '{ sum += $3 } END { print sum }' /sys/kernel/underpin/cpus
	else
		echo 0
	fi
}

# counted COMMAND...: its output, and the transitions that it took
counted() {
	start=$(transitions)
	"$@" || exit 1
	echo "transitions $(($(transitions) - start))"
}

# The same with one operation has everything but 5 x 999 operations.
guest() {
	{ counted ./tiny -n 1 "$1"; counted ./tiny -n 1000 "$1"; } | awk -v name="$1" '
	$1 == name { ticks = $2 }
	$1 == "transitions" { few = many; many = $2 }
	END { printf "op %s %d %.2f\n", name, ticks, (many - few) / (5 * 999) }'
}

host() {
	counted ./look cpuid | awk '
	$1 == "host_cpuid" { ticks = $2 }
	END { printf "op host_cpuid %d %.2f\n", ticks, $2 / 5000 }'
}

# 2.5 s are 10^9 ticks of the test machine's TSC.  Programs cost exits when they start
# (CPUID): the same ones run before without the time.
idle_exits() {
	status exits_none
	sleep 0
	status exits_before
	sleep 2.5
	status exits_after
	awk '
	FILENAME == "exits_none" { none[$1] = $2; next }
	FILENAME == "exits_before" { before[$1] = $2; next }
	{
		n = $2 - before[$1] - (before[$1] - none[$1])
		sum += n
		if (n)
			print "exit", $1, n
	}
	END { print "exit", "all", sum + 0 }
	' exits_none exits_before exits_after
}
status() {
	underpin status | awk '$1 == "host" { sum[$2] += $3 }
		END { for (r in sum) print r, sum[r] }' | sort >"$1"
}

# 4 KiB frames; the bound without protected VMs is 0.25 % of RAM and 8 MiB.
memory() {
	awk '{ n[$1] = $2 } END { print "memory", n["pool"] * 4, int(n["ram"] * 4 / 400 + 8192) }' \
		/sys/kernel/underpin/frames
}

nested() {
	qemu-system-x86_64 -accel kvm -machine pc,hpet=off,smm=off -cpu host -m 256 -nodefaults \
		-no-reboot -display none -serial file:nested.serial -kernel /guest/vmlinuz \
		-initrd nested.initrd -append 'console=ttyS0,115200 quiet panic=-1' </dev/null >&2
	tr -d '\r' <nested.serial >&2
	tr -d '\r' <nested.serial | awk '/^(cpuid|touch|out|host_cpuid) [0-9]+$/ { print "op", $1, $2, 0 }'
}

mode=$1
[ "$mode" != underpin ] || insmod underpin.ko || exit 1
modprobe kvm_intel || exit 1
if [ "$mode" = kvm_on_kvm ]; then
	nested
	exit
fi
for test in cpuid touch out; do
	guest $test
done
host
[ "$mode" = underpin ] || exit 0
idle_exits
memory
./look report || exit 1
