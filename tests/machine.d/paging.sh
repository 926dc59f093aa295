#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a test machine without VMX: paging.sh LEVELS.  The root image is entered on every
# CPU through page tables of that many levels, and comes back (tests/paging).  Prints TAP.
# Needs paging.ko, tap.sh and lib.sh.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

# Booted with maxcpus=1: with two, QEMU's disks change their names now and then.
echo 1 >/sys/devices/system/cpu/cpu1/online

check "$1 levels: the image runs, misses VMX and comes back" \
	refused "paging: $1 levels, image entered and left: error -19" insmod paging.ko
check "$1 levels: on every CPU" same "$(nproc)" "$(dmesg | grep -c 'launch: CPU .: error -19')"
check "$1 levels: and again" \
	refused "paging: $1 levels, image entered and left: error -19" insmod paging.ko
check "$1 levels: nothing in the kernel log" quiet_dmesg
finish_tap
