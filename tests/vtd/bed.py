#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bed.py MODULE CAPABILITIES WORDS ARGUMENTS...: the bed's module in a machine of QEMU's.

CAPABILITIES are options of QEMU's intel-iommu, such as "caching-mode=on,aw-bits=48", WORDS
what Linux is told of it, such as "intel_iommu=off". Each of ARGUMENTS is what one insmod gets ("" nothing); all of them run in one machine. Prints
what the module says, each run behind a line "# insmod ARGUMENTS". No VMX is needed: QEMU
emulates, and time passes at once while the machine waits (-icount)."""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import cache                                                   # noqa: E402
import image                                                   # noqa: E402

TIMEOUT = 600
BUSYBOX = "/bin/busybox"
INIT = """#!/bin/busybox sh
/bin/busybox mount -t sysfs none /sys
while read -r arguments; do
	echo "bed: insmod $arguments"
	/bin/busybox insmod /bed.ko $arguments && /bin/busybox rmmod bed
done </runs
# Linux's own driver flushes what it had of edu, by its own queue, and waits for that.
for edu in /sys/bus/pci/devices/*; do
	case $(/bin/busybox cat $edu/device) in
	0x11e8) echo 1 >$edu/remove && echo "bed: Linux removed edu" ;;
	esac
done
echo "bed: end"
/bin/busybox poweroff -f
"""


def initrd(module, runs):
    directory = (0, 0)
    return image.cpio(image.console_node() + [
        ("bin", 0o40755, b"", directory), ("sys", 0o40755, b"", directory),
        ("bin/busybox", 0o100755, cache.read(BUSYBOX), directory),
        ("bed.ko", 0o100644, cache.read(module), directory),
        ("runs", 0o100644, "".join(run + "\n" for run in runs).encode(), directory),
        ("init", 0o100755, INIT.encode(), directory)])


def command(kernel, where, capabilities, words):
    return ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "qemu64",
            "-icount", "shift=0,sleep=off", "-m", "256", "-display", "none", "-nodefaults",
            "-no-reboot", "-device", f"intel-iommu,intremap=off,{capabilities}",
            "-device", "edu,dma_mask=0xffffffffffffffff", "-serial", "stdio",
            "-kernel", kernel, "-initrd", os.path.join(where, "initrd"),
            "-append", f"console=ttyS0 quiet loglevel=7 panic=-1 {words}"]


def main():
    module, capabilities, words, runs = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    kernel = os.path.join(image.kernel_entry("6.1"), "vmlinuz")
    with tempfile.TemporaryDirectory(prefix="underpin-bed-") as where:
        with open(os.path.join(where, "initrd"), "wb") as file:
            file.write(initrd(module, runs))
        try:
            run = subprocess.run(command(kernel, where, capabilities, words), timeout=TIMEOUT,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, check=False)
            said = run.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode(errors="replace") + "\nno end in time\n"
    lines = [re.sub(r"^\[ *[\d.]+\] ", "", line.rstrip("\r")) for line in said.splitlines()]
    print("\n".join(lines))
    return 0 if "bed: end" in lines else 1


if __name__ == "__main__":
    sys.exit(main())
