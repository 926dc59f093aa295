# SPDX-License-Identifier: GPL-2.0-only
"""Builds what a test machine boots from Debian's own packages.

A kernel entry holds vmlinuz, initrd (the first program and the disk drivers)
and root.img (an ext4 root disk with the kernel's modules, QEMU, and the small
guest in /guest). A boot entry holds the first sectors of the job disk: GRUB,
which reads its commands, kernel and initrd from the two disks.
"""

import glob
import os
import re
import shutil
import struct
import subprocess

import cache
from cache import Failure, say

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                    "image")
# In a cloud kernel some of them are built in. ext4 asks for crc32c by that name only.
BOOT_DRIVERS = ["ata_piix", "sd_mod", "crc32c_generic", "ext4"]
TRACK = 16 * 63 * 512           # disks are whole cylinders of 16 heads, 63 sectors
FREE_SPACE = 512 << 20          # on the root disk
PARTITION_START = 2048          # sectors before the job's partition
LEFT_OUT = ["usr/share/doc", "usr/share/man", "usr/share/info",
            "usr/share/locale", "usr/share/lintian", "usr/share/icons"]


def run(command, **kwargs):
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              **kwargs).stdout
    except FileNotFoundError:
        raise Failure(f"'{command[0]}' is not installed; "
                      "tests/packages-install installs what is missing")
    except subprocess.CalledProcessError as error:
        raise Failure(f"'{' '.join(command[:6])} ...' failed: "
                      + error.stderr.decode(errors="replace").strip()[-2000:])


# --- packages ---------------------------------------------------------------

def kernel_package(version):
    """Debian's newest kernel of a version such as 6.1 (cloud), 6.12-generic or 6.12-rt."""
    if re.fullmatch(r"\d+\.\d+\.\S+-amd64", version):
        return f"linux-image-{version}"
    number, _, flavour = version.partition("-")
    flavour = {"": "cloud-amd64", "generic": "amd64"}.get(flavour, flavour + "-amd64")
    meta = f"linux-image-{flavour}" if number == "6.1" else f"linux-image-{number}-{flavour}"
    try:
        text = run(["apt-cache", "depends", "--important", meta]).decode()
    except Failure:
        text = ""
    found = re.search(r"Depends: (linux-image-\d\S+-amd64)", text)
    if not found:
        raise Failure(f"--kernel {version}: no package '{meta}' in the package "
                      "lists; run 'apt-get update', or name one that "
                      "'apt-cache search linux-image-.*amd64' shows")
    return found.group(1)


def newest_kernel(version):
    """The kernel package for a version, remembered while the lists are old."""
    key = cache.hash_of("kernel-name", version)
    path = os.path.join(cache.directory(), f"name-{key}")
    lists = "/var/lib/apt/lists"
    fresh = os.stat(lists).st_mtime if os.path.isdir(lists) else 0
    if os.path.exists(path) and os.stat(path).st_mtime > fresh:
        return cache.read(path).decode()
    try:
        name = kernel_package(version)
    except Failure:
        run(["apt-get", "update"])
        name = kernel_package(version)
    with open(path + f".{os.getpid()}", "w") as file:
        file.write(name)
    os.rename(path + f".{os.getpid()}", path)
    return name


def download(packages, where):
    """Downloads packages and all they depend on, as if nothing was installed."""
    archives = os.path.join(where, "archives")
    os.makedirs(os.path.join(archives, "partial"))
    status = os.path.join(where, "status")
    open(status, "w").close()
    command = ["apt-get", "-y", "--download-only", "--no-install-recommends",
               "-o", f"Dir::State::status={status}",
               "-o", f"Dir::Cache::archives={archives}",
               "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root",
               "install"] + packages
    try:
        run(command)
    except Failure:
        run(["apt-get", "update"])
        run(command)
    return sorted(glob.glob(archives + "/*.deb"))


def unpack(deb, root):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                          stdout=subprocess.PIPE) as source:
        run_tar = subprocess.run(
            ["tar", "-x", "--keep-directory-symlink", "-C", root]
            + [f"--exclude=./{path}/*" for path in LEFT_OUT],
            stdin=source.stdout)
    if source.returncode or run_tar.returncode:
        raise Failure(f"cannot unpack {os.path.basename(deb)}")


def package_list():
    lines = cache.read(os.path.join(HERE, "packages")).decode().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


# --- the parts of a machine -------------------------------------------------

def compile_static(source, target):
    run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-s",
         "-o", target, os.path.join(HERE, source)])


def cpio(files):
    """A 'newc' archive of (name, mode, data, device) entries."""
    out = bytearray()

    def add(number, name, mode, data, device):
        encoded = name.encode() + b"\0"
        head = [number, mode, 0, 0, 1, 0, len(data), 0, 0,
                device[0], device[1], len(encoded), 0]
        out.extend(b"070701" + b"".join(b"%08x" % field for field in head))
        out.extend(encoded + b"\0" * (-(110 + len(encoded)) % 4))
        out.extend(data + b"\0" * (-len(data) % 4))

    for number, item in enumerate(files, 1):
        add(number, *item)
    add(0, "TRAILER!!!", 0, b"", (0, 0))
    return bytes(out) + b"\0" * (-len(out) % 512)


def console_node():
    return [("dev", 0o40755, b"", (0, 0)),
            ("dev/console", 0o20600, b"", (5, 1))]


def module_order(root, release):
    """Paths of the boot drivers' modules, each after what it needs."""
    base = f"{root}/lib/modules/{release}"
    needs = {}
    for line in cache.read(f"{base}/modules.dep").decode().splitlines():
        path, _, rest = line.partition(":")
        name = os.path.basename(path).split(".ko")[0].replace("-", "_")
        needs[name] = (path, rest.split())
    built_in = cache.read(f"{base}/modules.builtin").decode().replace("-", "_")
    order = []
    for driver in BOOT_DRIVERS:
        if f"/{driver}.ko" in built_in:
            continue
        if driver not in needs:
            raise Failure(f"the kernel {release} has no module {driver}")
        path, rest = needs[driver]
        for item in reversed([path] + rest):
            if item not in order:
                order.append(item)
    return [f"{base}/{path}" for path in order]


def module_data(path):
    if path.endswith(".xz"):
        return run(["xz", "-dc", path])
    return cache.read(path)


def build_initrd(root, release, target, temporary):
    init = os.path.join(temporary, "init")
    compile_static("init.c", init)
    files = console_node() + [
        ("init", 0o100755, cache.read(init), (0, 0)),
        ("new", 0o40755, b"", (0, 0)),
        ("modules", 0o40755, b"", (0, 0))]
    for number, path in enumerate(module_order(root, release)):
        name = os.path.basename(path).split(".ko")[0]
        files.append((f"modules/{number:02}-{name}.ko", 0o100644,
                      module_data(path), (0, 0)))
    with open(target, "wb") as file:
        file.write(cpio(files))


def build_guest(root, kernel, temporary):
    """The guest that the machine's own QEMU can boot at once."""
    os.makedirs(f"{root}/guest")
    shutil.copy(kernel, f"{root}/guest/vmlinuz")
    init = os.path.join(temporary, "guest-init")
    compile_static("guest-init.c", init)
    with open(f"{root}/guest/initrd", "wb") as file:
        file.write(cpio(console_node()
                        + [("init", 0o100755, cache.read(init), (0, 0))]))


def build_disk(root, target):
    used = int(run(["du", "-s", "--block-size=1", root]).split()[0])
    size = used + used // 10 + FREE_SPACE
    size += -size % TRACK
    with open(target, "wb") as file:
        file.truncate(size)
    run(["mkfs.ext4", "-q", "-F", "-L", "underpin", "-m", "0", "-b", "4096",
         "-O", "^has_journal,^metadata_csum,^orphan_file,^64bit",
         "-E", "lazy_itable_init=0,root_owner=0:0", "-d", root, target])


def prepare_root(root):
    for path in ("proc", "sys", "dev", "run", "tmp", "root/underpin", "etc"):
        os.makedirs(f"{root}/{path}", exist_ok=True)
    for name in ("passwd", "group"):
        source = f"{root}/usr/share/base-passwd/{name}.master"
        if not os.path.exists(f"{root}/etc/{name}"):
            shutil.copy(source, f"{root}/etc/{name}")
    for name, text in (("hostname", "underpin\n"),
                       ("hosts", "127.0.0.1 localhost underpin\n")):
        with open(f"{root}/etc/{name}", "w") as file:
            file.write(text)
    for link, target in (("usr/bin/awk", "gawk"), ("usr/bin/sh", "dash")):
        if not os.path.lexists(f"{root}/{link}"):
            os.symlink(target, f"{root}/{link}")


def merge_usr(root):
    """The four top links, before any package can make directories of them."""
    for name in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(f"{root}/usr/{name}", exist_ok=True)
        os.symlink(f"usr/{name}", f"{root}/{name}")


def build_kernel_entry(package, where):
    say(f"preparing a root disk with {package} from Debian's packages "
        "(once; about a minute)")
    temporary = os.path.join(where, "work")
    root = os.path.join(temporary, "root")
    os.makedirs(root)
    merge_usr(root)
    release = package[len("linux-image-"):]
    # The kernel's own dependencies (initramfs tools) are not needed here.
    kernel_dir = os.path.join(temporary, "kernel")
    os.makedirs(kernel_dir)
    run(["apt-get", "-o", "APT::Sandbox::User=root", "download", package],
        cwd=kernel_dir)
    debs = download(package_list(), temporary)
    for deb in debs + glob.glob(kernel_dir + "/*.deb"):
        unpack(deb, root)
    prepare_root(root)
    run(["depmod", "-b", root, release])
    run(["ldconfig", "-r", root])
    vmlinuz = os.path.join(where, "vmlinuz")
    shutil.copy(f"{root}/boot/vmlinuz-{release}", vmlinuz)
    shutil.copy(vmlinuz, f"{root}/boot/vmlinuz")
    os.unlink(f"{root}/boot/vmlinuz-{release}")
    build_guest(root, vmlinuz, temporary)
    build_initrd(root, release, os.path.join(where, "initrd"), temporary)
    shutil.copy(os.path.join(where, "initrd"), f"{root}/boot/initrd")
    build_disk(root, os.path.join(where, "root.img"))
    with open(os.path.join(where, "release"), "w") as file:
        file.write(release)
    shutil.rmtree(temporary)


def kernel_entry(version):
    package = newest_kernel(version)
    inputs = [cache.read(os.path.join(HERE, name))
              for name in ("init.c", "guest-init.c", "packages")]
    key = cache.hash_of(package, cache.read(__file__), *inputs)
    return cache.entry("kernel", key,
                       lambda where: build_kernel_entry(package, where))


# --- the job disk's first sectors -------------------------------------------

GRUB_CONFIG = """\
set root=(hd0,msdos1)
source (hd0,msdos1)/.job/grub.cfg
"""
GRUB_MODULES = ["biosdisk", "part_msdos", "tar", "ext2", "linux", "normal",
                "configfile", "test", "echo"]


def build_boot_entry(where):
    grub = "/usr/lib/grub/i386-pc"
    config = os.path.join(where, "early.cfg")
    with open(config, "w") as file:
        file.write(GRUB_CONFIG)
    core = os.path.join(where, "core.img")
    run(["grub-mkimage", "-O", "i386-pc", "-d", grub, "-o", core,
         "-p", "(hd0,msdos1)/", "-c", config] + GRUB_MODULES)
    data = bytearray(cache.read(core))
    data += b"\0" * (-len(data) % 512)
    if len(data) > (PARTITION_START - 1) * 512:
        raise Failure("GRUB's image does not fit before the job's partition")
    # diskboot.img ends with its block list: first sector, count, segment.
    struct.pack_into("<QH", data, 500, 2, len(data) // 512 - 1)
    boot = bytearray(cache.read(f"{grub}/boot.img").ljust(512, b"\0"))
    struct.pack_into("<Q", boot, 0x5c, 1)
    boot[0x64] = 0xff           # boot from the disk that the BIOS names
    boot[0x66:0x68] = b"\x90\x90"
    boot[446:510] = bytes(64)   # where boot.img has code for diskettes
    boot[510:512] = b"\x55\xaa"
    with open(os.path.join(where, "head"), "wb") as file:
        file.write(boot + data)


def boot_entry():
    grub = "/usr/lib/grub/i386-pc/boot.img"
    if not os.path.exists(grub):
        raise Failure("GRUB's BIOS files (grub-pc-bin) are not installed; "
                      "tests/packages-install installs what is missing")
    key = cache.hash_of(cache.read(grub), cache.read(__file__))
    return os.path.join(cache.entry("boot", key, build_boot_entry), "head")


# --- the job disk -----------------------------------------------------------

def tar_archive(files):
    """A 'ustar' archive of (name, mode, data) entries."""
    out = bytearray()
    for name, mode, data in files:
        head = bytearray(512)
        kind = b"5" if name.endswith("/") else b"0"
        for start, value in ((0, name.encode()), (100, b"%07o" % mode),
                             (108, b"0000000"), (116, b"0000000"),
                             (124, b"%011o" % len(data)), (136, b"%011o" % 0),
                             (156, kind), (257, b"ustar\x0000"),
                             (148, b" " * 8)):
            head[start:start + len(value)] = value
        head[148:156] = b"%06o\0 " % sum(head)
        out += head + data + b"\0" * (-len(data) % 512)
    return bytes(out) + b"\0" * 1024


def write_job_disk(path, files, size, start=0):
    """Files are (name, mode, data).  A disk that starts later in the file leaves the rest."""
    head = bytearray(cache.read(boot_entry()))
    archive = tar_archive(files)
    size += -size % TRACK
    if PARTITION_START * 512 + len(archive) > size:
        raise Failure(f"the files for the machine take {len(archive) >> 20} MiB; "
                      f"the job disk has {size >> 20}")
    sectors = size // 512 - PARTITION_START
    struct.pack_into("<BBBBBBBBII", head, 446, 0x80, 0xfe, 0xff, 0xff, 0x83,
                     0xfe, 0xff, 0xff, PARTITION_START, sectors)
    with open(path, "r+b" if start else "wb") as file:
        file.truncate(start + size)
        file.seek(start)
        file.write(head)
        file.seek(start + PARTITION_START * 512)
        file.write(archive)
