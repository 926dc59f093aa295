# SPDX-License-Identifier: GPL-2.0-only
"""QEMU as a test machine: with KVM on a host that has nested VMX.

With TCG in place of KVM there is no VMX; that serves to try everything else.
"""

import os

import cache
import image
import machine

ACCELERATION = {
    "kvm": ["-machine", "pc,accel=kvm", "-cpu", "host,kvm=off"],
    "tcg": ["-machine", "pc,accel=tcg", "-cpu", "max"],
}


def nested_vmx():
    """Whether the host's KVM gives VMX to its guests (else: why not)."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False, "/dev/kvm is absent or not ours to open"
    if " vmx" not in cache.read("/proc/cpuinfo").decode():
        return False, "the processor offers no VMX"
    try:
        nested = cache.read("/sys/module/kvm_intel/parameters/nested").strip()
    except OSError:
        return False, "kvm_intel is not loaded"
    if nested not in (b"1", b"Y"):
        return False, "kvm_intel is loaded with nested=0"
    return True, ""


def prepare(_entry, options):
    """Nothing to restore: a machine boots in seconds here."""
    options.fresh = True


def start(where, entry, _state, options):
    image.write_job_disk(os.path.join(where, "job.img"),
                         machine.job_files(options), machine.JOB_DISK_SIZE)
    arguments = ["qemu-system-x86_64"] + ACCELERATION[options.platform] + [
        "-m", str(options.memory), "-smp", str(options.cpus),
        "-display", "none", "-nodefaults",
        "-action", "reboot=reset" if options.restarts else "reboot=shutdown",
        "-kernel", os.path.join(entry, "vmlinuz"),
        "-initrd", os.path.join(entry, "initrd"),
        "-append", machine.command_line(options),
        "-drive", "file=job.img,format=raw,if=ide,index=0",
        "-drive", f"file={entry}/root.img,format=raw,if=ide,index=1,snapshot=on",
        "-serial", "file:serial.txt", "-parallel", "file:lpt.txt",
        "-debugcon", "stdio", "-global", "isa-debugcon.iobase=0xe9",
        "-device", "edu"]
    return machine.Machine(where, arguments, options)
