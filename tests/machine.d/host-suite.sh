# SPDX-License-Identifier: GPL-2.0
# For suites that run a host with another kernel: '. tests/machine.d/host-suite.sh' after
# suite.sh.
# shellcheck shell=sh

# host NAME MACHINE-ARGUMENT...: NAME is the kernel's in tests/machine --kernel, and of
# build/hosts/NAME, which has been built
host() {
	host_name=$1
	shift
	inside "$host_name" --kernel "$(cat "build/hosts/$host_name/release")" "$@" \
		--copy "build/hosts/$host_name/underpin.ko" --copy tests/machine.d/lib.sh \
		--copy tests/machine.d/host.sh -- sh host.sh
}
