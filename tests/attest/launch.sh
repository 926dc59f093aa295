#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# launch.sh NONCE STALE: in the test machine, evidence of two launches, by underpin attest.
# Needs underpin.ko, underpin, underpin-attest with its libraries, vm.sh, tiny-fw.bin.
set -u
# shellcheck source=tests/attest/vm.sh
. ./vm.sh
export LD_LIBRARY_PATH=. PATH="$PATH:."

quote() {
	name=$1
	shift
	echo "=== $name"
	underpin attest quote --no-tpm --nonce "$@" 2>&1
}

layer() {
	echo "=== $1"
	cat /sys/kernel/underpin/launch_key /sys/kernel/underpin/launch_nonce
}

insmod ./underpin.ko || exit 1
layer first-launch
vm_start
quote good "$1" --vm 0
quote stale "$2" --vm 0
quote no-such-vm "$1" --vm 9
vm_asks "$1"
quote asked "$1" --vm-report vm-report
echo "=== measurement"
underpin vm show 0 | sed -n 's/^measurement *//p'
vm_end
echo "=== status"
underpin status -o json
rmmod underpin && insmod ./underpin.ko || exit 1
layer second-launch
quote again "$1"
echo "=== log"
dmesg | grep -E 'underpin: root: launch:|BUG:|WARNING:|Oops'
echo "=== end"
