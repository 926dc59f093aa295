# SPDX-License-Identifier: GPL-2.0-only
"""QEMU as a test machine: with KVM on a host that has nested VMX.

With TCG in place of KVM there is no VMX; that serves to try everything else.
tests/lib/nested.py runs the same command, with KVM, in a machine of Bochs's.
"""

import os
import shlex

import cache
import image
import machine

# VT-d is there on q35 alone, and wants to remap interrupts where KVM splits its
# interrupt chips.  With TCG a machine under load loses remapped ones.
ACCELERATION = {
    "kvm": ["-machine", "q35,accel=kvm,kernel-irqchip=split", "-cpu", "host,kvm=off"],
    "tcg": ["-machine", "q35,accel=tcg", "-cpu", "max"],
}
INTERRUPTS = {"kvm": "on", "tcg": "off"}

TPM_DEVICE = ["-chardev", "socket,id=tpm,path=tpm.sock",
              "-tpmdev", "emulator,id=tpm0,chardev=tpm",
              "-device", "tpm-tis,tpmdev=tpm0"]


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


def tpm(where, bend=None):
    """A shell's line that starts a TPM 2.0, which ends with the QEMU that it serves; its daemon runs
    in /.  Between the two is BEND, if that is a program: tests/tpm/bridge.c."""
    real = f"{where}/real.sock" if bend else f"{where}/tpm.sock"
    line = shlex.join(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={where}", "--ctrl",
                       f"type=unixio,path={real}", "--terminate", "--daemon"])
    return f"{line} && {shlex.join([bend, real, f'{where}/tpm.sock'])}" if bend else line


def prepare(_entry, options):
    """Nothing to restore: a machine boots in seconds here."""
    options.fresh = True


def disk(unit, what):
    return ["-drive", f"if=none,id=disk{unit},format=raw,{what}",
            "-device", f"ide-hd,drive=disk{unit},bus=ide.0,unit={unit}"]


def iommu(options, acceleration):
    more = "," + options.iommu if options.iommu else ""
    return ["-device", f"intel-iommu,intremap={INTERRUPTS[acceleration]}{more}"]


def network(options):
    """A --device with netdev=net has one peer: 10.0.2.100 says on port 7 what it is told."""
    if not any("netdev=net" in device for device in options.device):
        return []
    return ["-netdev", "user,id=net,restrict=on,guestfwd=tcp:10.0.2.100:7-cmd:cat"]


def command(options, acceleration, vmlinuz, initrd, root, job="file=job.img"):
    """QEMU's command line; what it writes, and TPM's socket, are in its directory."""
    return ["qemu-system-x86_64"] + ACCELERATION[acceleration] + iommu(
        options, acceleration) + [
        "-m", str(options.memory), "-smp", str(options.cpus),
        "-display", "none", "-nodefaults",
        "-action", "reboot=reset" if options.restarts else "reboot=shutdown",
        "-kernel", vmlinuz, "-initrd", initrd,
        "-append", machine.command_line(options),
        # A cloud kernel has no driver for q35's own disks.
        "-device", "piix3-ide,id=ide",
        ] + disk(0, job) + disk(1, root + ",snapshot=on") + (
            TPM_DEVICE if options.tpm else []) + [
        "-serial", "file:serial.txt", "-parallel", "file:lpt.txt",
        "-debugcon", "stdio", "-global", "isa-debugcon.iobase=0xe9",
        # A device that reads and writes any memory, as its driver says.
        "-device", "edu,dma_mask=0xffffffffffffffff"] + network(options) + [
        word for device in options.device for word in ("-device", device)]


def start(where, entry, _state, options):
    image.write_job_disk(os.path.join(where, "job.img"),
                         machine.job_files(options), machine.JOB_DISK_SIZE)
    if options.tpm:
        image.run(["sh", "-c", tpm(where, options.tpm_bend)])
    return machine.Machine(
        where, command(options, options.platform, os.path.join(entry, "vmlinuz"),
                       os.path.join(entry, "initrd"), f"file={entry}/root.img"),
        options)
