# SPDX-License-Identifier: GPL-2.0
# For suites that run launch.sh in the machine: '. tests/machine.d/launch-suite.sh' after
# suite.sh.
# shellcheck shell=sh

tests/lib/build -f tests/vmxon/vmxon.mk >&2 || exit 1
launch_hash=$(tests/lib/build root-hash)

# in_and_out NAME CYCLES MACHINE-ARGUMENT...
in_and_out() {
	launch_name=$1
	launch_cycles=$2
	shift 2
	inside "$launch_name" "$@" --copy build/machine-tools/look --copy tests/machine.d/lib.sh \
		--copy tests/machine.d/launch.sh --copy build/vmxon/vmxon.ko \
		-- sh launch.sh "$launch_hash" "$launch_cycles"
}
