#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: bench.sh bare|underpin|nested|nested_underpin ROW...  Prints lines
#	op NAME TICKS TRANSITIONS EXITS		failed NAME REASON
#	exit REASON COUNT			memory KIB BOUND	report P50 MOST
# and after each row "done ROW": a row that fails does not stop the others.
# OPERATIONS and ROUNDS in the environment: fewer than 1,000 and 5, to see that it works.
# Needs look, tiny, ops, and underpin.ko, underpin, or nested.initrd (tests/bench).
set -u
operations=${OPERATIONS:-1000} rounds=${ROUNDS:-5}

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
	"$@"
	echo "transitions $(($(transitions) - start))"
}

# guest PROGRAM ROW.  The same with one operation has everything but the others.
guest() {
	{
		counted "./$1" -n 1 -r "$rounds" "$2"
		counted "./$1" -n "$operations" -r "$rounds" "$2"
	} 2>&1 | awk -v name="$2" -v others=$((rounds * (operations - 1))) '
	$1 == "failed" { print; bad = 1; exit }
	$1 == "transitions" { few = many; many = $2; next }
	$1 == name { ticks = $2; exits = "-"; next }
	$1 == "op" && $2 == name { ticks = $3; exits = $4; next }
	{ said = said " " $0 }
	END {
		if (ticks != "" && !bad)
			printf "op %s %d %.2f %s\n", name, ticks, (many - few) / others, exits
		else if (!bad)
			print "failed", name, "no figure:" said
	}'
}

host() {
	counted ./look cpuid | awk '
	$1 == "host_cpuid" { ticks = $2 }
	END {
		if (ticks == "")
			print "failed host_cpuid no figure"
		else
			printf "op host_cpuid %d %.2f -\n", ticks, $2 / 5000
	}'
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
	tr -d '\r' <nested.serial |
		awk '/^(cpuid|touch|out|host_cpuid) [0-9]+$/ { print "op", $1, $2, 0, "-"; print "done", $1 }'
}

mode=$1
shift
case $mode in
*underpin) insmod underpin.ko || exit 1 ;;
esac
modprobe kvm_intel || exit 1
case $mode in
nested*)
	nested
	exit
	;;
esac
for row; do
	case $row in
	cpuid | touch | out) guest tiny "$row" ;;
	host_cpuid) host ;;
	idle) idle_exits ;;
	memory) memory ;;
	report) ./look report || echo "failed report no figure" ;;
	*) guest ops "$row" ;;
	esac
	echo "done $row"
done
