# SPDX-License-Identifier: GPL-2.0-only
# The job of the outer machine of `tests/machine --platform nested`: outer.sh COMMAND QEMU...
# Runs COMMAND, and then QEMU, whose command line comes as arguments, with this machine's own
# disks as root.img and, behind what this machine has of it, job.img.
set -u
exec 3>&1 >&2
before=$1
shift
root=$(findmnt -n -o SOURCE /)
job=/dev/sda
[ "$root" != "$job" ] || job=/dev/sdb
mkdir -p /run/job/snapshots && cd /run/job || exit 1
# QEMU reads the disk beside this machine: nobody may write to it.
ln -s "$root" root.img && ln -s $job job.img && mount -o remount,ro / || exit 1
ip link set lo up	# QEMU's network speaks to its peer there
modprobe kvm_intel && sh -c "$before" || exit 1
touch serial.txt lpt.txt
# QEMU writes byte by byte: whoever reads that must not take the processor after each one.
chrt -b -p 0 $PPID
echo "outer machine: QEMU starts after $(cut -d' ' -f1 /proc/uptime) s"
tail -q -n +1 -F serial.txt lpt.txt &
# Not in /tmp: QEMU 7.2 would take /var/tmp, on the disk, instead.
TMPDIR=/run/job/snapshots "$@" </dev/null >&3
echo "QEMU's exit status: $?"
sleep 1
exit 1
