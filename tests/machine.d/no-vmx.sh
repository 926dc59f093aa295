#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in a test machine without VMX: what it is told.  Prints TAP.
# shellcheck disable=SC1091
set -u
. ./tap.sh
. ./lib.sh

check_says() { underpin check >check.out; same 3 $?; }

check 'without VMX insmod is refused, with the cure' \
	refused 'offers no VMX: enable Intel VT-x in the firmware setup' insmod underpin.ko
check 'and nothing has changed, as without VMX' gone
check 'without VMX underpin check ends with 3' check_says
check 'and names the cure' has check.out '^FAIL +vmx '
check 'status says that the layer is not loaded' sh -c \
	"underpin status -o json | grep -q '\"state\": \"not loaded\"'"
check 'without the layer vm run is refused, and starts nothing' \
	refused 'insmod|not loaded|underpin' underpin vm run -- qemu-system-x86_64 -accel kvm
finish_tap
