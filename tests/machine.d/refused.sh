#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a test machine that cannot be demoted: refused.sh WHY ROW PATTERN...
# insmod gives a reason for each PATTERN and no other; underpin check fails at ROW, and
# says the same; nothing has changed.  Prints TAP.
# Needs underpin.ko, underpin, look (tests/machine.d/look.c), tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

why=$1
row=$2
shift 2

all_reasons() {
	for pattern; do
		has refused.out "underpin: refused: $pattern" || return 1
	done
	same $# "$(grep -c 'underpin: refused: ' refused.out)"
}

# Without the module msr, in what Linux says in /proc/cpuinfo.
says_it_without_msrs() {
	underpin check >check.out
	same 3 $? && has check.out "^FAIL +$row "
}

in_json() {
	underpin check -o json | tr -d '\n' | grep -Eq \
		"\"name\": *\"$row\", *\"result\": *\"FAIL\", *\"required\": *true, *\"found\":[^}]*\"cure\": *\"[^\"]"
}

nothing_changed() {
	./look cpu >view.now
	diff view.before view.now && gone
}

check "$why: underpin check says so" says_it_without_msrs
modprobe msr
./look cpu >view.before
check "$why: insmod is refused, with the cure" refused "underpin: refused: $1" insmod underpin.ko
check "$why: each reason is given, and no other" all_reasons "$@"
check "$why: nothing has changed" nothing_changed
check "$why: underpin check says the same" agrees
check "$why: and in JSON" in_json
check "$why: nothing in the kernel log" quiet_dmesg
finish_tap
