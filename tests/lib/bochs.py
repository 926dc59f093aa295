# SPDX-License-Identifier: GPL-2.0-only
"""Debian's Bochs as a test machine: VMX and EPT in software."""

import os

import image
import machine

# Why each setting is as it is: docs/test-machine.md.
CONFIG = """\
cpu: model=corei7_haswell_4770, count={cpus}, ips=400000000, \
reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
display_library: rfb, options="timeout=0"
pci: enabled=1, chipset=i440fx
clock: sync=none
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="job.img", mode={job_mode}
ata0-slave: type=disk, path="{root}", mode=volatile, journal="root.redo"
com1: enabled=1, mode=file, dev=serial.txt
parport1: enabled=1, file=lpt.txt
port_e9_hack: enabled=1
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
error: action=ignore
info: action={info}
debug: action=ignore
"""
ENVIRONMENT = {"BXSHARE": "/usr/share/bochs"}


def write_config(where, entry, options, job_mode="flat"):
    with open(os.path.join(where, "bochsrc"), "w") as file:
        file.write(CONFIG.format(
            cpus=options.cpus, memory=options.memory, job_mode=job_mode,
            root=os.path.join(entry, "root.img"),
            info="report" if options.log_info else "ignore"))
    with open(os.path.join(where, "commands"), "w") as file:
        file.write("c\n")


def start(where, entry, options):
    image.write_job_disk(os.path.join(where, "job.img"),
                         machine.job_files(options), machine.JOB_DISK_SIZE)
    write_config(where, entry, options)
    return machine.Machine(
        where, ["bochs-bin", "-q", "-f", "bochsrc", "-rc", "commands"],
        options, ENVIRONMENT)
