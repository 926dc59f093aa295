# SPDX-License-Identifier: GPL-2.0-only
"""A Debian with systemd and nginx, as a disk of ext4 with dm-verity's hashes behind it."""

import os
import re
import shutil

import cache
import image
import service

BLOCK = 4096
PACKAGES = "usr-is-merged,systemd-sysv,udev,nginx-light"
MERGED = "/usr/share/mmdebstrap/hooks/merged-usr"
SOURCES = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]
LEFT_OUT = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
            "/usr/share/zoneinfo/*", "/usr/lib/x86_64-linux-gnu/gconv/*", "/usr/lib/udev/hwdb.d/*"]
GONE = ["var/lib/apt", "var/cache/apt", "usr/share/perl5", "usr/lib/x86_64-linux-gnu/perl-base"]
SERVE = """\
[Unit]
After=multi-user.target

[Service]
ExecStart=/usr/local/sbin/systemd-serve

[Install]
WantedBy=graphical.target
"""
NETWORK = """\
[Match]
Type=ether

[Network]
Address=10.0.2.15/24
"""


def debian(root):
    """As mmdebstrap makes it, smaller: what no service needs is left out."""
    sources = next(path for path in SOURCES if os.path.exists(path))
    image.run(["mmdebstrap", "--quiet", "--variant=essential", "--mode=root",
               f"--hook-dir={MERGED}", "--aptopt=APT::Install-Recommends \"false\"",
               "--dpkgopt=force-unsafe-io",
               *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
               f"--include={PACKAGES}", "bookworm", root, sources])
    for path in GONE:
        shutil.rmtree(os.path.join(root, path), ignore_errors=True)


def write(root, path, text):
    with open(os.path.join(root, path), "w", encoding="ascii") as file:
        file.write(text)


def add_service(root, work):
    """What the suite needs in it: our two programs, a unit, an address."""
    sbin = os.path.join(root, "usr/local/sbin")
    shutil.copy(os.path.join(service.HERE, "systemd-serve"), sbin)
    shutil.copy(service.compiled("blocks", work), sbin)
    write(root, "etc/systemd/system/systemd-serve.service", SERVE)
    write(root, "etc/systemd/network/wired.network", NETWORK)
    write(root, "etc/fstab", "")
    write(root, "etc/hostname", "guest\n")
    image.run(["systemctl", f"--root={root}", "enable", "systemd-serve", "systemd-networkd"])
    image.run(["systemctl", f"--root={root}", "disable", "systemd-networkd-wait-online"])


def with_hashes(where, root):
    """root.img.gz: the file system, and behind its blocks the hashes; "verity": words of a
    command line that open it.  Packed, since the machine's job disk has 96 MiB."""
    disk = os.path.join(where, "root.img")
    used = int(image.run(["du", "-s", "--block-size=1", root]).split()[0])
    blocks = (used + used // 12 + (12 << 20)) // BLOCK
    image.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(BLOCK), "-O", "^has_journal",
               "-E", "lazy_itable_init=0,root_owner=0:0", "-d", root, disk, str(blocks)])
    said = image.run(["veritysetup", "format", f"--data-blocks={blocks}",
                      f"--hash-offset={blocks * BLOCK}", disk, disk]).decode()
    found = dict(re.findall(r"^(Root hash|Salt):\s+(\S+)$", said, re.M))
    write(where, "verity", f"blocks={blocks} hash={found['Root hash']} salt={found['Salt']}")
    image.run(["gzip", disk])


def build(where):
    work = os.path.join(where, "work")
    root = os.path.join(work, "root")
    os.makedirs(work)
    debian(root)
    add_service(root, work)
    with_hashes(where, root)
    shutil.rmtree(work)


def entry():
    """A folder with root.img.gz and verity."""
    key = cache.hash_of(cache.read(__file__), *(
        cache.read(os.path.join(service.HERE, name)) for name in ("systemd-serve", "blocks.c")))
    return cache.entry("debian-disk", key, build)
