#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a test machine without VMX, with 5-level paging and too many possible CPUs:
# what it is told.  Prints TAP.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

check 'without VMX insmod is refused, with the cure' \
	refused 'offers no VMX: enable Intel VT-x in the firmware setup' insmod underpin.ko
check 'and nothing has changed, as without VMX' gone
check 'without VMX underpin check ends with 3, and says the same' agrees
check 'and names what fails' has check.out '^FAIL +vmx '
check '5-level paging is none of the reasons' lacks insmod.says '5-level'
check 'and more CPUs than the layer takes' \
	has insmod.says '^1025 CPUs are possible, the layer takes 1024: disable'
check 'status says that the layer is not loaded' sh -c \
	"underpin status -o json | grep -q '\"state\": \"not loaded\"'"
check 'without the layer vm run is refused, and starts nothing' \
	refused 'insmod|not loaded|underpin' underpin vm run -- qemu-system-x86_64 -accel kvm
finish_tap
