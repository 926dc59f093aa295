#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: boots a stock kernel as a protected guest again and again, some at
# once, and says after each round what it was and what is left.  Each round of which the number
# divides by BUSY, if that is not 0, has stress-ng beside it on the host (stress.tar).
# boots.sh SECONDS ROUNDS AT-ONCE BUSY QEMU-OPTION...
#	busy ROUND STATUS-OF-STRESS-NG
#	guest ROUND NUMBER STATUS DISK-SHA256
#	run ROUND NUMBER WHAT-VM-RUN-SAYS
#	said ROUND NUMBER NAME: RESULT		(tests/guest/devices.c)
#	left ROUND VM-FRAMES POOL-FRAMES-IN-USE FREE-KIB
#	warning TEXT
# Needs lib.sh (tests/machine.d).
# shellcheck disable=SC1091
set -u
. ./lib.sh
seconds=$1 rounds=$2 at_once=$3 busy=$4
shift 4

# guest FOLDER QEMU-OPTION...: with a disk of its own
guest() {
	mkdir "$1" && cp disk.img "$1" && cd "$1" || exit 1
	shift
	timeout -s KILL "$seconds" underpin vm run -- qemu-system-x86_64 -accel kvm \
		-cpu host,kvm=off -machine pc,hpet=off,smm=off -nodefaults -nographic -serial stdio \
		-bios ../underpin-fw.bin "$@" </dev/null >serial.txt 2>run.txt
	echo $? >status
}

# show ROUND NUMBER
show() {
	echo "guest $1 $2 $(cat status) $(sha256sum <disk.img)"
	sed "s/^/run $1 $2 /" run.txt
	tr -d '\r' <serial.txt | sed -n "s/^devices: \([a-z]*: .*\)/said $1 $2 \1/p"
}

# Processor, memory and disk of the host; until it is told to end
load() {
	exec env LD_LIBRARY_PATH="$(find "$PWD/stress" -name '*.so*' -printf '%h\n' | sort -u |
		paste -sd:)" stress/usr/bin/stress-ng -q --cpu 1 --vm 1 --vm-bytes 64M --hdd 1 \
		--hdd-bytes 16M --temp-path /tmp --timeout "$seconds"
}

left() {
	awk '{ n[$1] = $2 } END { print n["vm"], n["pool"] - n["pool_free"] }' \
		/sys/kernel/underpin/frames
	free_kib
}

ip link set lo up && insmod ./underpin.ko && modprobe kvm_intel || exit 1
[ "$busy" = 0 ] || { mkdir stress && tar -xf stress.tar -C stress; } || exit 1
for round in $(seq "$rounds"); do
	loaded=
	if [ "$busy" != 0 ] && [ $((round % busy)) = 0 ]; then
		load &
		loaded=$!
	fi
	guests=
	for n in $(seq "$at_once"); do
		(guest "guest.$n" "$@") &
		guests="$guests $!"
	done
	wait $guests
	if [ "$loaded" ]; then
		kill -TERM "$loaded"
		wait "$loaded"
		echo "busy $round $?"
	fi
	for n in $(seq "$at_once"); do
		(cd "guest.$n" && show "$round" "$n")
		rm -r "guest.$n"
	done
	echo left "$round" $(left)
done
dmesg | grep -E 'WARNING:|BUG:|Oops|general protection|soft lockup' | sed 's/^/warning /'
exit 0
