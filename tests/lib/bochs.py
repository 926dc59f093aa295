# SPDX-License-Identifier: GPL-2.0-only
"""Debian's Bochs as a test machine: VMX and EPT in software.

A machine that has booted and waits for its job is saved once; each run
restores it in a few seconds with its own job disk.
"""

import os
import re
import time

import cache
import image
import machine
from cache import Failure, say

# Why each setting is as it is: docs/test-machine.md.
CONFIG = """\
cpu: model={model}, count={cpus}, ips=400000000, \
reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={memory}
romimage: file="{bios}"
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
display_library: rfb, options="timeout=0"
pci: enabled=1, chipset=i440fx
clock: sync=none
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="job.img", mode=flat
ata0-slave: type=disk, path="{root}", mode=volatile, journal="root.redo"
com1: enabled=1, mode=file, dev=serial.txt
parport1: enabled=1, file=lpt.txt
port_e9_hack: enabled=1
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
error: action=report
info: action={info}
debug: action=ignore
"""
ENVIRONMENT = {"BXSHARE": "/usr/share/bochs"}
JOB_DISK_IN_STATE = "hard_drive.0.drive0.image"
INFO_ACTION = re.compile(r"(INFO=|^info: action=)ignore", re.M)
SAVE_TIMEOUT = 600

MODEL = "corei7_haswell_4770"
BIOS = "/usr/share/bochs/BIOS-bochs-latest"
# How the BIOS locks VMX on: RDMSR, OR EAX with 5, WRMSR.  The first CPU does so
# in 32-bit code, each other one in 16-bit code.  The value is the byte at -3.
LOCKS_VMX = (bytes.fromhex("b93a000000 0f32 83c805 0f30"),
             bytes.fromhex("66b93a000000 0f32 6683c805 0f30"))


def info_action(options):
    return "report" if options.log_info else "ignore"


def bios(options):
    """The BIOS, or one that leaves other values in IA32_FEATURE_CONTROL."""
    values = options.feature_control
    if not values:
        return BIOS
    original = cache.read(BIOS)

    def build(where):
        rom = bytearray(original)
        for code, value in zip(LOCKS_VMX, (values[0], values[-1])):
            if original.count(code) != 1:
                raise Failure(f"--feature-control: {BIOS} is another one: it "
                              "does not lock VMX in the way that is known here")
            rom[original.index(code) + len(code) - 3] = value
        with open(os.path.join(where, "bios"), "wb") as file:
            file.write(rom)
    key = cache.hash_of(original, values, LOCKS_VMX)
    return os.path.join(cache.entry("bios", key, build), "bios")


def write_config(where, entry, options, info):
    with open(os.path.join(where, "bochsrc"), "w") as file:
        file.write(CONFIG.format(
            model=options.cpu_model or MODEL, bios=bios(options),
            cpus=options.cpus, memory=options.memory,
            root=os.path.join(entry, "root.img"), info=info))
    write_commands(where)


def write_commands(where):
    with open(os.path.join(where, "commands"), "w") as file:
        file.write("c\n")


class Direct:
    """What is in Bochs: the machine itself.  (tests/lib/nested.py has another.)"""

    follow = machine.Machine
    state = "state"
    takes = "half a minute"

    @staticmethod
    def write_job(path, options, waiting=False):
        image.write_job_disk(path, machine.job_files(options, waiting),
                             machine.JOB_DISK_SIZE)

    @staticmethod
    def words(options):
        """What a state depends on, beside Bochs's own settings."""
        return machine.command_line(options)


def launch(where, arguments, options, inside, *libraries):
    """Runs Bochs, corrected, with more libraries preloaded."""
    preload = ":".join((library("bochs-init"),) + libraries)
    return inside.follow(where, ["bochs-bin", "-q"] + arguments
                         + ["-rc", "commands"], options,
                         dict(ENVIRONMENT, LD_PRELOAD=preload))


def library(name):
    """A small library to preload, built from its source in tests/image."""
    source = os.path.join(image.HERE, name + ".c")

    def build(where):
        image.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra",
                   "-Werror", "-o", os.path.join(where, name + ".so"), source])
    key = cache.hash_of(cache.read(source))
    return os.path.join(cache.entry("library", key, build), name + ".so")


# --- a machine that boots ---------------------------------------------------

def start_cold(where, entry, options, inside):
    inside.write_job(os.path.join(where, "job.img"), options)
    write_config(where, entry, options, info_action(options))
    return launch(where, ["-f", "bochsrc"], options, inside)


# --- a machine whose state was saved ----------------------------------------

def boot_and_save(where, entry, options, inside):
    """Boots a machine without a job, and saves it when it waits for one."""
    say(f"booting a machine and saving its state (once; {inside.takes})")
    inside.write_job(os.path.join(where, "job.img"), options, waiting=True)
    write_config(where, entry, options, "ignore")
    os.mkdir(os.path.join(where, "state"))
    with machine.core_slot():
        running = launch(where, ["-f", "bochsrc"], options, inside,
                         library("bochs-save"))
        try:
            running.follow("R", SAVE_TIMEOUT)
            time.sleep(0.5)         # let the root disk's last requests finish
            open(os.path.join(where, "save-now"), "w").close()
            if running.process.wait(60):
                raise machine.Died("Bochs could not save its state")
        except TimeoutError:
            raise machine.Died(f"it did not boot within {SAVE_TIMEOUT} s")
        except machine.Died:
            running.last_words()
            raise
        finally:
            running.stop()
    for name in os.listdir(where):
        if name not in ("state", inside.follow.CONSOLE):
            os.unlink(os.path.join(where, name))
    os.unlink(os.path.join(where, "state", JOB_DISK_IN_STATE))


def saved_state(entry, options, inside):
    key = cache.hash_of(entry, options.cpus, options.memory,
                        inside.words(options), image.boot_entry(),
                        options.cpu_model, bios(options), cache.read(__file__),
                        library("bochs-save"), cache.read("/usr/bin/bochs-bin"))
    path = cache.entry(inside.state, key,
                       lambda where: boot_and_save(where, entry, options, inside),
                       days=2)
    return os.path.join(path, "state")


def start_saved(where, state, options, inside):
    """Restores a state, in which the job disk's contents are replaced."""
    local = os.path.join(where, "state")
    os.mkdir(local)
    for name in os.listdir(state):
        os.symlink(os.path.join(state, name), os.path.join(local, name))
    for name in ("config", "logopts"):
        text = cache.read(os.path.join(state, name)).decode()
        os.unlink(os.path.join(local, name))
        with open(os.path.join(local, name), "w") as file:
            file.write(INFO_ACTION.sub(r"\1" + info_action(options), text))
    inside.write_job(os.path.join(local, JOB_DISK_IN_STATE), options)
    inside.write_job(os.path.join(where, "job.img"), options)
    write_commands(where)
    running = launch(where, ["-r", "state"], options, inside)
    running.booted = True
    return running


def prepare(entry, options, inside=Direct):
    """Finds or makes the saved state; None means that it has to boot."""
    if not os.path.exists("/usr/bin/bochs-bin"):
        raise Failure("Bochs is not installed; "
                      "tests/packages-install installs what is missing")
    if options.fresh:
        return None
    try:
        return saved_state(entry, options, inside)
    except machine.Died as reason:
        say(f"no saved state ({reason}); booting instead")
        return None


def start(where, entry, state, options, inside=Direct):
    if state:
        return start_saved(where, state, options, inside)
    return start_cold(where, entry, options, inside)
