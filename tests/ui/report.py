# SPDX-License-Identifier: GPL-2.0-only
"""A report of "underpin check --report" (underpin(8), REPORTS) of a host that there is not: what
the layer beneath it answers is in the structures of ioctl/underpin.h."""

import json
import struct

FIGURES = ["pool_frames", "pool_free", "table_bytes", "ram_frames", "host_2m_frames",
           "host_4k_frames", "vm_frames", "faults_injected", "decoys", "denied", "flush_epoch"]
REASONS = 80


def exits(counts):
    return struct.pack(f"<{REASONS}Q", *(counts.get(i, 0) for i in range(REASONS)))


def cpu_status(cpu):
    return (struct.pack("<2I", cpu["demoted"], cpu["apic_id"]) + exits(cpu["host"]) +
            exits(cpu["vm"]) + struct.pack("<3Q", *cpu["counts"]))


def status(host, number=None):
    cpu = host["cpus"][number or 0]
    return (struct.pack("<6I", number or 0, 0, 1, len(host["cpus"]), len(host["vms"]), 0) +
            struct.pack("<11Q", *(host["figures"][name] for name in FIGURES)) + host["image"] +
            cpu_status(cpu))


def vm_info(vm):
    return (struct.pack("<4IiI", vm["id"], 0, vm["state"], vm["vcpus"], vm["pid"], 0) +
            struct.pack("<6Q", *vm["counts"]) + vm["measurement"] + bytes(256) +
            vm.get("death", b"").ljust(64, b"\0"))


def write(path, host):
    """A report of what @host says, in the place of what was there."""
    seen = {"exists /dev/underpin": {"text": ""}} if host["loaded"] else {}
    seen.update({"/sys/kernel/underpin/" + name: {"text": text}
                 for name, text in host["sysfs"].items()})
    seen["/sys/devices/system/cpu/online"] = {"text": host["online"]}
    seen["device status"] = {"hex": status(host).hex()}
    for number in range(len(host["cpus"])):
        seen[f"device status {number}"] = {"hex": status(host, number).hex()}
    seen["device vms"] = {"hex": b"".join(struct.pack("<I", vm["id"]) for vm in host["vms"]).hex()}
    for vm in host["vms"]:
        seen[f"device vm {vm['id']}"] = {"hex": vm_info(vm).hex()}
        if "argv" in vm:
            seen[f"/proc/{vm['pid']}/cmdline"] = {"hex": "".join(
                word.encode().hex() + "00" for word in vm["argv"])}
    with open(path, "w", encoding="ascii") as out:
        json.dump({"format": "underpin-report", "version": 1, "seen": seen}, out)
