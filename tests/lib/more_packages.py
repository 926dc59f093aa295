#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""more_packages.py PACKAGE...: an archive of Debian packages for a test machine.

With all that they depend on, as far as the machine's root disk has not that already. Prints
the archive's path; `tar -xf` in the machine's / installs it (no maintainer script runs). It is
remembered by the packages' versions."""

import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True

import cache
import image

NAME = "more.tar"


def plan(packages):
    """{name: version} of what apt would install where nothing is."""
    with tempfile.NamedTemporaryFile() as status:
        command = ["apt-get", "-s", "--no-install-recommends",
                   "-o", f"Dir::State::status={status.name}", "-o", "Debug::NoLocking=1",
                   "install"] + packages
        try:
            text = image.run(command).decode()
        except cache.Failure:
            image.run(["apt-get", "update"])
            text = image.run(command).decode()
    return dict(re.findall(r"^Inst (\S+) \((\S+)", text, re.M))


def build(missing, where):
    cache.say(f"fetching {len(missing)} packages of Debian's for the machine (once)")
    work = os.path.join(where, "work")
    root = os.path.join(work, "root")
    os.makedirs(root)
    image.merge_usr(root)
    image.run(["apt-get", "-o", "APT::Sandbox::User=root", "download"] +
              [f"{name}={version}" for name, version in missing.items()], cwd=work)
    for name in sorted(os.listdir(work)):
        if name.endswith(".deb"):
            image.unpack(os.path.join(work, name), root)
    # The machine has merged folders of its own.
    image.run(["tar", "-C", root, "--exclude=./bin", "--exclude=./sbin", "--exclude=./lib",
               "--exclude=./lib64", "-cf", os.path.join(where, NAME), "."])
    shutil.rmtree(work)


def main():
    have = plan(image.package_list())
    missing = {name: version for name, version in plan(sys.argv[1:]).items()
               if name not in have}
    key = cache.hash_of(cache.read(__file__), image.LEFT_OUT, sorted(missing.items()))
    print(os.path.join(cache.entry("packages", key, lambda where: build(missing, where)), NAME))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except cache.Failure as failure:
        sys.exit(f"more_packages: {failure}")
