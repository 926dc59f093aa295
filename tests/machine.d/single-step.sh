#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the test machine.  Prints TAP.  Needs underpin.ko, step and stepper.ko
# (tests/step), tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

# observe NAME: where user space and the kernel are stopped, a line a way and piece of code.
observe() {
	step >"$1" || return 1
	mark
	insmod stepper.ko && rmmod stepper || return 1
	since_mark | sed -n 's/^.*kstep: /kernel /p' >>"$1"
}

# same_stops WAY: one way's lines, of which there are some, with and without the layer.
same_stops() {
	grep "^$1 " bare >bare.way && grep "^$1 " beneath >beneath.way &&
		diff bare.way beneath.way
}

observe bare
check 'a step is a stop, before the layer' \
	has bare '^tf cpuid_twice rax=0 \+0 \+4 \+9 \+11 \+13 \+15 \+17 \+19$'
check 'one behind MOV SS is lost, before the layer' \
	has bare '^tf mov_ss_cpuid rax=[0-9a-f]+ \+0 \+4 \+6 \+8 \+12 \+13$'
check 'the kernel steps over each VMX instruction, before the layer' \
	has bare '^kernel vmwrite_vmread rax=1234 \+0z \+4z \+9z \+14z \+17'
check 'REP INS stops behind each element, before the layer' \
	has bare '^tf rep_ins rax=[0-9a-f]{16} .* \+([0-9]+) \+\1 \+\1 '
check 'a page that is missing stops it, before the layer' \
	has bare '^tf rep_ins_fault rax=0 .*:SEGVrf,3$'
check 'insmod' insmod underpin.ko
observe beneath
for way in tf step block break kernel; do
	check "$way: stops, results and flags are the same" same_stops $way
done
# Bochs itself has EIP go on to 4 GiB; a processor's wraps (SDM vol. 1, section 3.5).
check 'behind the last instruction below 4 GiB comes the first' \
	has beneath '^wrap cpuid SEGV at 0$'
check 'rmmod' rmmod underpin
check 'nothing in the kernel log' quiet_dmesg
finish_tap
