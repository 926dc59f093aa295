# SPDX-License-Identifier: GPL-2.0-only
"""A stock 6.12 kernel as a guest of the GHCI, with disk, network and some vCPUs."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile

import guest
import image
import service
from guest import check, differ

# Each character on the serial port costs some 25 transitions: the console has only what user
# space says.
APPEND = "console=ttyS0 panic=-1 quiet"
MEMORY = 256
MODULES = ["drivers/block/virtio_blk", "net/core/failover", "drivers/net/net_failover",
           "drivers/net/virtio_net"]
BLOCK, BLOCKS = 4096, 64
FLAGS = "disable-legacy=on,iommu_platform=on"
NETWORK = ("user,id=n0,restrict=on,"
           "guestfwd=tcp:10.0.2.100:1234-cmd:echo hello from the host")
VHOST = "tap,id=n0,ifname=tap0,script=no,downscript=no,vhost=on"
DEVICES = ["-drive", "file=disk.img,if=none,id=d0,format=raw",
           "-device", f"virtio-blk-pci,drive=d0,{FLAGS}", "-netdev", NETWORK,
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


def prepare(work, append, vcpus):
    """The guest's kernel, initrd, disk, what it measures, and QEMU's options."""
    entry = image.kernel_entry("6.12")
    kernel = os.path.join(entry, "vmlinuz")
    initrd = guest.initrd(os.path.join(work, "devices.initrd"), "tests/guest/devices.c", work,
                          [module(entry, name, work) for name in MODULES])
    data = os.path.join(work, "disk.img")
    with open(data, "wb") as file:
        file.write(disk(1))
    return ([kernel, initrd, data], guest.expected(kernel, initrd, append, MEMORY, vcpus),
            ["-m", str(MEMORY), "-smp", str(vcpus), "-append", append, *DEVICES])


def boot(vcpus, ending="power-off", cpus=1, vhost=False):
    """Boots it to its own ending ("power-off", "reboot") on so many CPUs; checks what it did."""
    append = f"{APPEND} ending={ending}"
    with tempfile.TemporaryDirectory(prefix="guest-ghci-") as work:
        files, want, options = prepare(work, append, vcpus)
        if vhost:
            files.append("/bin/busybox")
            options[options.index(NETWORK)] = VHOST
        run = guest.Run(files, 900, ["devices: network"],
                        ["-kernel", "./vmlinuz", "-initrd", "./devices.initrd", *options],
                        2200, cpus)
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
    if vhost:
        check("which the host's kernel serves",
              None if int(run.word("vhost") or 0) > 4 and "falling back" not in run.text("run")
              else (run.parts.get("vhost"), run.text("run")))
    check("its disk interrupts by MSI-X",
          None if re.search(r"^devices: .*MSI.*virtio", run.serial, re.M) else run.serial[-1000:])
    check(f"it ends by its own {ending}, which is said if it is a reboot",
          differ(("0", ending == "reboot"),
                 (run.word("status"), "its guest reboots" in run.text("run"))))
    run.check_measured(want, guest.NAMES)


def stress(work):
    """An archive of stress-ng, and of the libraries that it is linked with."""
    path = os.path.join(work, "stress.tar")
    image.run(["tar", "-C", service.linked(["stress-ng"], ["usr/bin/stress-ng"], []),
               "-cf", path, "."])
    return path


def again(rounds, at_once, vcpus, cpus, timeout, busy=0):
    """Boots guests in so many rounds, some at once; each must be as the first, and leave nothing.

    In each round of which the number divides by `busy` the host has other work, too."""
    with tempfile.TemporaryDirectory(prefix="guest-ghci-") as work:
        # Bounce buffers of 8 MiB do for a guest that only boots, and are made sooner.
        files, want, options = prepare(work, f"{APPEND} swiotlb=4096", vcpus)
        command = [os.path.join(guest.ROOT, "tests/machine"), "-q", "--timeout", str(timeout),
                   "--cpus", str(cpus)]
        for path in [guest.FIRMWARE, os.path.join(guest.ROOT, "tests/guest/boots.sh"),
                     os.path.join(guest.ROOT, "tests/machine.d/lib.sh"), *files,
                     *([stress(work)] if busy else [])]:
            command += ["--copy", path]
        text, _ = followed([*command, "--", "sh", "./boots.sh", "1500", str(rounds), str(at_once),
                            str(busy), "-kernel", "../vmlinuz",
                            "-initrd", "../devices.initrd", *options])
    if busy:
        check("in some rounds the host has other work",
              differ([(str(n), "0") for n in range(busy, rounds + 1, busy)],
                     re.findall(r"^busy (\d+) (\d+)$", text, re.M)))
    check_again(text, want, rounds * at_once, vcpus, rounds)


def followed(command):
    """What a command says, shown as it comes, and its status."""
    text = ""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          errors="replace") as done:
        for line in done.stdout:
            line = line.replace("\r", "")
            print("# " + line, end="", file=sys.stderr, flush=True)
            text += line
    return text, done.returncode


def check_again(text, want, guests, vcpus, rounds):
    def said(name):
        return re.findall(rf"^said \d+ \d+ {name}: (.*)$", text, re.M)

    ended = re.findall(r"^guest \d+ \d+ (\d+) ([0-9a-f]+)", text, re.M)
    check(f"{guests} guests end by their own power-off; the host finds what they wrote",
          differ([("0", hashlib.sha256(disk(2)).hexdigest())] * guests, ended))
    check("all are the expected measurement",
          differ([want["measurement"]] * guests,
                 re.findall(r"^run .* measurement ([0-9a-f]+)$", text, re.M)))
    check(f"each has {vcpus} processors", differ([str(vcpus)] * guests, said("processors")))
    check("each reads and writes its disk", differ(["ok"] * guests, said("disk")))
    check("each hears a server by network",
          differ(["hello from the host"] * guests, said("network")))
    left = [tuple(map(int, line)) for line in
            re.findall(r"^left \d+ (\d+) (\d+) (\d+)$", text, re.M)]
    check("no frame stays a VM's", differ([0] * rounds, [vm for vm, _, _ in left]))
    # The first has brought in what the host keeps in its caches, and the layer in its pool.
    grown = [(used - left[0][1], left[0][2] - free) for _, used, free in left[1:]]
    check("the layer's pool and the host's memory do not shrink with the rounds",
          None if len(left) == rounds and all(used <= 8 and kib <= 16384 for used, kib in grown)
          else grown or left)
    check("the host's kernel warns of nothing", differ([], re.findall(r"^warning .*$", text, re.M)))
