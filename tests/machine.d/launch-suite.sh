# SPDX-License-Identifier: GPL-2.0
# For suites that run launch.sh in the machine: '. tests/machine.d/launch-suite.sh' after
# suite.sh.
# shellcheck shell=sh

tests/lib/build -f tests/vmxon/vmxon.mk >&2 || exit 1
launch_hash=$(tests/lib/build root-hash)

# replays: the checks say of the machine's report what they said in the machine.
replays() {
	sed -n 's/^# row: //p' "$tap_work/inside" >"$tap_work/rows"
	sed -n 's/^# report: //p' "$tap_work/inside" | base64 -d | gunzip >"$tap_work/report" &&
		has "$tap_work/rows" '^PASS +vmx ' || return 1
	build/underpin check --replay "$tap_work/report" | diff "$tap_work/rows" -
}

# in_and_out NAME CYCLES MACHINE-ARGUMENT...
in_and_out() {
	launch_name=$1
	launch_cycles=$2
	shift 2
	inside "$launch_name" "$@" --copy build/machine-tools/look --copy tests/machine.d/lib.sh \
		--copy tests/machine.d/launch.sh \
		--copy build/vmxon/vmxon.ko --copy build/vmxon/kvmcall.ko \
		-- sh launch.sh "$launch_hash" "$launch_cycles"
	check "$launch_name: its report, replayed here, shows the same" replays
}
