# SPDX-License-Identifier: GPL-2.0-only
"""A test machine in a test machine: in Bochs, a stock Debian's KVM runs QEMU.

The inner machine is that of `--platform kvm`, by the same QEMU command: it has
VT-d, and devices that Bochs lacks. What it says through port 0xe9 is the outer
command's standard output; its console and its parallel port are the standard
error, and go to inner.txt.

The job disk of Bochs's machine holds that machine's job, which is always the
same (tests/image/outer.sh), and behind it the inner machine's job disk. So the
state that is saved is that of both, with the inner one waiting for its job.
"""

import copy
import os

import bochs
import cache
import image
import machine
import qemu
from cache import Failure

OUTER_MEMORY = 2048
INNER_MEMORY = 1280     # at most: files and programs of the machine around it take the rest
OUTER_PLACE = "/run/job"    # where outer.sh works
OUTER_FILES = "/root/underpin"  # and where it comes from
OUTER_SCRIPT = os.path.join(image.HERE, "outer.sh")
OUTER_DISK_SIZE = 16 * image.TRACK


class Nested(machine.Machine):
    """Follows the inner machine by what comes out of the outer one."""

    CONSOLE = "inner.txt"

    def __init__(self, where, *arguments):
        self.outer = machine.Frames()
        self.console = open(os.path.join(where, self.CONSOLE), "wb", buffering=0)
        super().__init__(where, *arguments)

    def frames_in(self, data):
        for kind, body in self.outer.feed(data):
            if kind == "1":
                yield from self.frames.feed(body)
            elif kind == "2":
                self.console.write(body)
            elif kind in "XE":
                self.watch_console()
                raise machine.Died("it switched itself off or restarted, or its QEMU "
                                   f"did not run ({body.decode(errors='replace')})")


class Inside:
    """What is in Bochs (bochs.Direct): another machine."""

    follow = Nested
    state = "nested-state"
    takes = "some minutes"

    @staticmethod
    def write_job(path, outer, waiting=False):
        image.write_job_disk(path, machine.job_files(outer), OUTER_DISK_SIZE)
        image.write_job_disk(path, machine.job_files(outer.inner, waiting),
                             machine.JOB_DISK_SIZE, OUTER_DISK_SIZE)

    @staticmethod
    def words(outer):
        return [outer.command, *map(cache.read, outer.files), cache.read(__file__)]


def outer_options(options):
    """Those of the machine in Bochs: its job is to run QEMU."""
    outer = copy.copy(options)
    outer.inner = options
    outer.platform = "bochs"
    outer.memory = OUTER_MEMORY
    outer.append = ""
    outer.tpm = False
    outer.iommu = ""
    outer.device = []
    outer.files = [OUTER_SCRIPT]
    # It has a TPM in any case, so that one state serves both.
    with_tpm = copy.copy(options)
    with_tpm.tpm = True
    bend = options.tpm_bend and os.path.join(OUTER_FILES, os.path.basename(options.tpm_bend))
    outer.files += [options.tpm_bend] if bend else []
    outer.command = ["sh", "outer.sh", qemu.tpm(OUTER_PLACE, bend)] + qemu.command(
        with_tpm, "kvm", "/boot/vmlinuz", "/boot/initrd", "file=root.img",
        f"file=job.img,offset={OUTER_DISK_SIZE},cache=none")
    return outer


def prepare(entry, options):
    if options.memory > INNER_MEMORY:
        raise Failure(f"--platform nested: --memory {options.memory} is more than the "
                      f"{INNER_MEMORY} MiB that the machine around it can give")
    if options.cpus > 1:
        raise Failure("--platform nested has one processor: leave --cpus out")
    return bochs.prepare(entry, outer_options(options), Inside)


def start(where, entry, state, options):
    return bochs.start(where, entry, state, outer_options(options), Inside)
