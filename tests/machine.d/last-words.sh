#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a test machine with 2 CPUs, twice: a launch hangs on CPU 1, the machine is reset,
# and then it is told how far the launch came.  Prints TAP.
# Needs paging.ko and hang.ko (tests/paging), underpin, tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

# Booted with maxcpus=1: with two, QEMU's disks change their names now and then.
echo 1 >/sys/devices/system/cpu/cpu1/online

there() {
	underpin last-words >words && has words "$1"
}

if there '^no last words'; then
	check 'before a launch there are no last words' there '^no last words'
	insmod hang.ko cpu=1
	insmod paging.ko
	exit 1
fi
check 'after the reset they name the CPU and the step' \
	there "^CPU 1 builds its page table, or takes down Linux's state"
check 'in JSON, too' sh -c 'underpin last-words -o json | tr -d " \n" |
	grep -q "\"found\":true,\"cpu\":1,\"step\":1,"'
check 'insmod says them' \
	refused "an earlier launch did not end: CPU 1 builds its page table" insmod paging.ko
check 'after a launch that ends they are gone' there '^no last words'
finish_tap
