#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""svm.py COMMAND FILE...: a shell command in a machine with KVM, where there is no VMX.

QEMU emulates SVM: so programs that use KVM are seen to work, with Debian's kernel and its
kvm_amd, one CPU. Prints what the command says; its files are in its working directory."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import cache                                                   # noqa: E402
import ghci                                                    # noqa: E402
import image                                                   # noqa: E402

TIMEOUT = 900
BUSYBOX = "/bin/busybox"
# Scripts for the test machine say 'modprobe kvm_intel'.
MODULES = {"irqbypass.ko": "virt/lib/irqbypass", "kvm.ko": "arch/x86/kvm/kvm",
           "kvm-intel.ko": "arch/x86/kvm/kvm-amd"}
DEPENDS = """irqbypass.ko:
kvm.ko: irqbypass.ko
kvm-intel.ko: kvm.ko irqbypass.ko
"""
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t sysfs none /sys
mount -t proc none /proc
mount -t devtmpfs none /dev
cd /work
sh ./command 2>&1
echo "svm: status $?"
poweroff -f
"""


def initrd(where, command, paths):
    entry = image.kernel_entry("6.1")
    modules = "lib/modules/" + cache.read(os.path.join(entry, "release")).decode()
    none = (0, 0)
    files = image.console_node() + [(name, 0o40755, b"", none) for name in
                                    ("bin", "sys", "proc", "lib", "lib/modules", modules, "work")]
    files += [("bin/busybox", 0o100755, cache.read(BUSYBOX), none),
              ("init", 0o100755, INIT.encode(), none),
              ("work/command", 0o100755, command.encode() + b"\n", none)]
    files.append((modules + "/modules.dep", 0o100644, DEPENDS.encode(), none))
    files += [(f"{modules}/{name}", 0o100644, ghci.module(entry, path, where)[1], none)
              for name, path in MODULES.items()]
    files += [("work/" + os.path.basename(path), 0o100755, cache.read(path), none)
              for path in paths]
    path = os.path.join(where, "initrd")
    with open(path, "wb") as file:
        file.write(image.cpio(files))
    return ["-kernel", os.path.join(entry, "vmlinuz"), "-initrd", path]


def main():
    with tempfile.TemporaryDirectory(prefix="underpin-svm-") as where:
        done = subprocess.run(
            ["timeout", str(TIMEOUT), "qemu-system-x86_64", "-machine", "q35,accel=tcg",
             "-cpu", "max", "-m", "512", "-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio",
             *initrd(where, sys.argv[1], sys.argv[2:]),
             "-append", "console=ttyS0 quiet panic=-1 mitigations=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    text = done.stdout.decode(errors="replace").replace("\r", "")
    print(text, end="")
    return 0 if "svm: status 0\n" in text else 1


if __name__ == "__main__":
    sys.exit(main())
