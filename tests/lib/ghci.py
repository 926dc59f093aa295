# SPDX-License-Identifier: GPL-2.0-only
"""A stock 6.12 kernel as a guest of the GHCI, with disk, network and some vCPUs."""

import hashlib
import os
import re
import tempfile

import guest
import image
from guest import check, differ

# Each character on the serial port costs some 25 transitions: the console has only what user
# space says.
APPEND = "console=ttyS0 panic=-1 quiet"
MEMORY = 256
MODULES = ["drivers/block/virtio_blk", "net/core/failover", "drivers/net/net_failover",
           "drivers/net/virtio_net"]
BLOCK, BLOCKS = 4096, 64
FLAGS = "disable-legacy=on,iommu_platform=on"
DEVICES = ["-drive", "file=disk.img,if=none,id=d0,format=raw",
           "-device", f"virtio-blk-pci,drive=d0,{FLAGS}",
           "-netdev", "user,id=n0,restrict=on,"
           "guestfwd=tcp:10.0.2.100:1234-cmd:echo hello from the host",
           "-device", f"virtio-net-pci,netdev=n0,{FLAGS},romfile="]


def disk(seed):
    """As tests/guest/devices.c fills it."""
    return b"".join(bytes((seed + n * 37 + i * 11 + (i >> 8)) & 0xff for i in range(BLOCK))
                    for n in range(BLOCKS))


def module(entry, name, work):
    """A module of the kernel, from its root disk."""
    with open(os.path.join(entry, "release"), encoding="ascii") as file:
        release = file.read()
    for suffix in (".ko", ".ko.xz"):
        path = os.path.join(work, os.path.basename(name) + suffix)
        image.run(["/sbin/debugfs", "-R",
                   f"dump /usr/lib/modules/{release}/kernel/{name}{suffix} {path}",
                   os.path.join(entry, "root.img")])
        if os.path.exists(path) and os.path.getsize(path):
            return os.path.basename(name) + ".ko", image.module_data(path)
    raise image.Failure(f"{name}: not on the kernel's disk")


def boot(vcpus, ending="power-off", cpus=1):
    """Boots it to its own ending ("power-off", "reboot") on so many CPUs; checks what it did."""
    append = f"{APPEND} ending={ending}"
    with tempfile.TemporaryDirectory(prefix="guest-ghci-") as work:
        entry = image.kernel_entry("6.12")
        kernel = os.path.join(entry, "vmlinuz")
        initrd = guest.initrd(os.path.join(work, "devices.initrd"), "tests/guest/devices.c", work,
                              [module(entry, name, work) for name in MODULES])
        data = os.path.join(work, "disk.img")
        with open(data, "wb") as file:
            file.write(disk(1))
        want = guest.expected(kernel, initrd, append, MEMORY, vcpus)
        run = guest.Run([kernel, initrd, data], 900, ["devices: network"],
                        ["-m", str(MEMORY), "-smp", str(vcpus), "-kernel", "./vmlinuz",
                         "-initrd", "./devices.initrd", "-append", append, *DEVICES], 2200, cpus)
    says = dict(re.findall(r"^devices: (\w+): (.*)$", run.serial, re.M))
    print(f"# {vcpus} vCPUs on {cpus} CPUs, {ending}")
    check("the kernel takes it for a guest of the GHCI",
          None if says.get("encryption") == "Intel TDX" else run.serial[-3000:] or run.parts)
    check(f"its user space has {vcpus} processors", differ(str(vcpus), says.get("processors")))
    # In Bochs a tick is an instruction, some 300 of them; a way through KVM is 3,000 and more.
    check("CPUID is answered without the host",
          None if 0 < int(says.get("cpuid", 0)) < 1000 else says.get("cpuid", "not said"))
    check("it reads and writes its disk", differ("ok", says.get("disk")))
    check("the host finds there what it wrote",
          differ(hashlib.sha256(disk(2)).hexdigest(), run.word("disk").split(" ")[0]))
    check("it hears a server by network", differ("hello from the host", says.get("network")))
    check("its disk interrupts by MSI-X",
          None if re.search(r"^devices: .*MSI.*virtio", run.serial, re.M) else run.serial[-1000:])
    check(f"it ends by its own {ending}, which is said if it is a reboot",
          differ(("0", ending == "reboot"),
                 (run.word("status"), "its guest reboots" in run.text("run"))))
    run.check_measured(want, guest.NAMES)
