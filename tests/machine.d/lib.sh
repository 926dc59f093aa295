# SPDX-License-Identifier: GPL-2.0
# For scripts in the machine: '. ./lib.sh' after tap.sh.
# shellcheck shell=sh

# quiet_dmesg: the kernel has complained of nothing since the machine started.
# (Its first words when a module of ours is loaded name no bug.)
quiet_dmesg() {
	dmesg >all.log
	lacks all.log 'BUG|WARNING|Oops|Call Trace|general protection|segfault' &&
		lacks all.log 'vmread failed|vmwrite failed|stay pinned'
}

# since_mark: what the kernel has said since the last 'mark'.
mark() {
	mark="underpin-test mark $(date +%s%N)"
	echo "$mark" >/dev/kmsg
}
since_mark() {
	dmesg | awk -v mark="$mark" 'seen; index($0, mark) { seen = 1 }'
}

# refused PATTERN COMMAND...: the command fails, and it or the kernel says why.
refused() {
	refused_pattern=$1
	shift
	mark
	if "$@" >refused.out 2>&1; then
		echo "it succeeded"
		return 1
	fi
	since_mark >>refused.out
	has refused.out "$refused_pattern"
}

# agrees: 'underpin check' has the same against this host as insmod had, in the same
# words, and nothing else.  After 'refused'.
agrees() {
	sed -n 's/.*underpin: refused: //p' refused.out | sort >insmod.says
	underpin check >check.out
	same 3 $? || return 1
	awk '$1 == "FAIL" { found = $0; sub(/^FAIL +[^ ]+ +/, "", found) }
	     $1 == "required:" { sub(/^ *required: /, ""); print found ": " $0 }' check.out |
		sort >check.says
	[ -s insmod.says ] && diff insmod.says check.says
}

# memory_bound MIB: the layer takes at most 0.25 % of RAM, 8 MiB, and 0.5 % of MIB, the
# memory of protected VMs.  What it takes are whole frames, its pool.
memory_bound() {
	used=$(($(figure pool) * 4))
	bound=$(($(figure ram) * 4 / 400 + 8192 + $1 * 1024 / 200))
	echo "$used KiB used; bound $bound KiB"
	[ $used -gt 0 ] && [ $used -le $bound ]
}

# Nothing is left of the layer.
gone() {
	! grep '^underpin ' /proc/modules && [ ! -e /sys/kernel/underpin ] &&
		[ ! -e /dev/underpin ]
}

# free_kib: memory that is free, with what processes have left in lists of each CPU's: up to
# 48 MiB of it are in no MemFree.
free_kib() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 == "MemFree:" { kib += $2 } $1 == "count:" { kib += 4 * $2 } END { print kib }' \
		/proc/meminfo /proc/zoneinfo
}
