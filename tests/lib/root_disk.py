#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""root_disk.py ROOT RELEASE FOLDER: a disk of the Debian in ROOT, for "tests/machine --disk FOLDER".

It starts as a host's own: with the initramfs of the kernel RELEASE that ROOT has, and systemd.
What is added is a unit that runs the machine's job once all else has started (tests/image/init.c)."""

import os
import shutil
import sys

sys.dont_write_bytecode = True

import cache
import image

UNIT = """\
[Unit]
After=multi-user.target

[Service]
ExecStart=/usr/local/sbin/underpin-job
StandardError=kmsg

[Install]
WantedBy=graphical.target
"""


def main():
    root, release, where = sys.argv[1:]
    units = os.path.join(root, "etc/systemd/system")
    image.compile_static("init.c", os.path.join(root, "usr/local/sbin/underpin-job"))
    with open(os.path.join(units, "underpin-job.service"), "w", encoding="ascii") as file:
        file.write(UNIT)
    wants = os.path.join(units, "graphical.target.wants")
    os.makedirs(wants, exist_ok=True)
    link = os.path.join(wants, "underpin-job.service")
    if not os.path.lexists(link):
        os.symlink("../underpin-job.service", link)
    os.makedirs(where, exist_ok=True)
    for name, source in (("vmlinuz", "vmlinuz-"), ("initrd", "initrd.img-")):
        for copy in (os.path.join(where, name), os.path.join(root, "boot", name)):
            shutil.copy(os.path.join(root, "boot", source + release), copy)
    image.build_disk(root, os.path.join(where, "root.img"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (cache.Failure, OSError) as failure:
        sys.exit(f"root_disk: {failure}")
