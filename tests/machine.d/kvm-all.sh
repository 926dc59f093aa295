#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine: kvm-all.sh bare|beneath SECONDS TEST...  Prints a line each:
#	result TEST STATUS SECONDS quiet|complains LAST-WORDS
# STATUS is the program's, 124 after SECONDS of the machine's; "complains": the kernel's log
# has a bug or a warning, which comes first.  Needs underpin.ko and the programs.  Its status is 99
# where there is no KVM, or no layer.
set -u

mode=$1 seconds=$2
shift 2
[ "$mode" = bare ] || insmod underpin.ko || exit 99
modprobe kvm_intel || exit 99
for test; do
	dmesg -C
	start=$(date +%s)
	status=0
	timeout -k 5 "$seconds" "./$test" >said 2>&1 || status=$?
	took=$(($(date +%s) - start))
	kernel=quiet
	dmesg >kernel.log
	if grep -Eq 'BUG:|WARNING:|Oops|general protection fault|Call Trace' kernel.log; then
		kernel=complains
		sed 's/^/kernel: /' kernel.log
	fi
	words=$(grep -v '^[[:space:]]*$' said | tail -n 1 | cut -c1-120)
	echo "result $test $status $took $kernel $words"
done
