# SPDX-License-Identifier: GPL-2.0-only
"""A protected guest with a real service: programs of Debian's packages, in a measured initrd."""

import os
import re
import shutil
import subprocess

import cache
import image

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guest")
LIST = os.path.join(HERE, "service-packages")
PROGRAMS = ["bin/busybox", "sbin/dmsetup", "sbin/mke2fs", "usr/sbin/nginx"]
DRIVERS = ["virtio_blk", "virtio_net", "dm-integrity", "dm-crypt", "aesni-intel", "crc32c-intel",
           "ext4"]
SETTINGS = ["etc/mke2fs.conf"]
ETC = {"passwd": b"root:x:0:0:root:/:/bin/sh\n", "group": b"root:x:0:\n"}
LIBRARIES = ["lib64", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]


def names_in(path):
    lines = cache.read(path).decode().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def needed(path):
    """What a program or library is linked with, and what loads it."""
    text = image.run(["readelf", "-d", "-l", path]).decode()
    found = re.findall(r"Shared library: \[(.+?)\]|program interpreter: (.+?)\]", text)
    return [os.path.basename(name or loader) for name, loader in found]


def with_libraries(root, programs):
    """Paths below root: the programs, and all that they are linked with."""
    paths, todo = [], list(programs)
    while todo:
        path = todo.pop()
        paths.append(path)
        for name in needed(os.path.join(root, path)):
            found = [f"{folder}/{name}" for folder in LIBRARIES
                     if os.path.exists(f"{root}/{folder}/{name}")]
            if not found:
                raise image.Failure(f"{path}: needs {name}, which no package has")
            if found[0] not in paths + todo:
                todo.append(found[0])
    return paths


def collect(where, packages, wanted, settings):
    work, root = os.path.join(where, "work"), os.path.join(where, "work", "root")
    os.makedirs(root)
    image.merge_usr(root)
    for deb in image.download(packages, work):
        image.unpack(deb, root)
    image.run(["ldconfig", "-r", root])
    for path in settings + with_libraries(root, wanted):
        target = os.path.join(where, "files", path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(root, path), target)
    shutil.rmtree(work)


def linked(packages, wanted, settings):
    """A folder with programs and libraries alone, of packages and what these depend on."""
    key = cache.hash_of(cache.read(__file__), packages, wanted, settings)
    return os.path.join(cache.entry(
        "service", key, lambda where: collect(where, packages, wanted, settings)), "files")


def programs(wanted=None):
    """(name, data) of each file; of some programs and their libraries alone, if they are named."""
    top = linked(names_in(LIST), PROGRAMS, SETTINGS)
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), top)
            if not wanted or path in with_libraries(top, wanted):
                yield path, cache.read(os.path.join(top, path))


def dump(entry, path, target):
    image.run(["/sbin/debugfs", "-R", f"dump {path} {target}", os.path.join(entry, "root.img")])
    return target


def drivers(entry, work, wanted=None):
    """(name, data) of the modules that the drivers need, each after what it needs itself."""
    base = "/usr/lib/modules/" + cache.read(os.path.join(entry, "release")).decode()
    built_in = cache.read(dump(entry, base + "/modules.builtin", work + "/built_in")).decode()
    known = {}
    for line in cache.read(dump(entry, base + "/modules.dep", work + "/dep")).decode().splitlines():
        path, _, rest = line.partition(":")
        known[os.path.basename(path).split(".ko")[0]] = (path, rest.split())
    order = []
    for driver in wanted or DRIVERS:
        if f"/{driver}.ko" in built_in:
            continue
        if driver not in known:
            raise image.Failure(f"the kernel has no module {driver}")
        path, rest = known[driver]
        order += [item for item in reversed([path] + rest) if item not in order]
    for path in order:
        copy = dump(entry, f"{base}/{path}", os.path.join(work, os.path.basename(path)))
        yield os.path.basename(path).split(".ko")[0] + ".ko", image.module_data(copy)


def compiled(name, work):
    target = os.path.join(work, name)
    subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-s", "-o", target,
                    os.path.join(HERE, name + ".c")], check=True)
    return target


def tree(files):
    """cpio entries of files and the folders in which they lie, without the merged /usr."""
    folders = {"dev", "tmp"}
    for name, _, _ in files:
        while os.path.dirname(name):
            name = os.path.dirname(name)
            folders.add(name)
    entries = [(name, 0o40755, b"", (0, 0)) for name in sorted(folders)]
    return entries + [("dev/console", 0o20600, b"", (5, 1))] + [
        (name, 0o100000 | mode, data, (0, 0)) for name, mode, data in files]


def base(entry, work, wanted_programs=None, wanted_drivers=None):
    """Programs, and modules with the order in which they are loaded."""
    files = [(name, 0o755, data) for name, data in programs(wanted_programs)]
    modules = list(drivers(entry, work, wanted_drivers))
    files += [("modules/" + name, 0o644, data) for name, data in modules]
    return files + [("modules/order", 0o644,
                     "".join(name + "\n" for name, _ in modules).encode())]


def written(files, path):
    with open(path, "wb") as file:
        file.write(image.cpio(tree(files)))
    return path


def first_program(name):
    """It, and the part of it that all have that open an encrypted disk."""
    return [("init", 0o755, cache.read(os.path.join(HERE, name))),
            ("store", 0o644, cache.read(os.path.join(HERE, "store")))]


def initrd(entry, path, work):
    """Of a guest that serves from memory what is on its disk."""
    files = base(entry, work) + first_program("service-init")
    files += [("etc/" + name, 0o644, data) for name, data in ETC.items()]
    files.append(("nginx.conf", 0o644, cache.read(os.path.join(HERE, "nginx.conf"))))
    files.append(("bin/blocks", 0o755, cache.read(compiled("blocks", work))))
    return written(files, path)


def root_initrd(entry, path, work):
    """Of a guest that starts a Debian from its disk (debian_disk)."""
    return written(base(entry, work, PROGRAMS[:2], [*DRIVERS, "dm-verity"])
                   + first_program("systemd-init"), path)
