#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dmar.py make DIR: writes DMAR tables with all types of structures into DIR.
dmar.py compare UNDERPIN TABLE...: `UNDERPIN check --dmar` says of each table what
`iasl -d` says, and accepts it or names a cure. With --known-refused NAME=TEXT a table
of that name is refused with that text, and no other is refused.

iasl of 2020 knows no SATC and SIDP and stops there: these are decoded here."""

import argparse
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

SATC, SIDP = 5, 6
IASL_KNOWS = 5          # types below


# --- tables made here ---------------------------------------------------------

def scope(kind, ident, bus, *path, flags=0):
    steps = b"".join(bytes(step) for step in path)
    return struct.pack("<BBBBBB", kind, 6 + len(steps), flags, 0, ident, bus) + steps


def entry(kind, body, *scopes):
    body += b"".join(scopes)
    return struct.pack("<HH", kind, 4 + len(body)) + body


def drhd(base, *scopes, flags=0, order=0, segment=0):
    return entry(0, struct.pack("<BBHQ", flags, order, segment, base), *scopes)


def rmrr(base, last, *scopes, segment=0):
    return entry(1, struct.pack("<HHQQ", 0, segment, base, last), *scopes)


def atsr(*scopes, flags=0, segment=0):
    return entry(2, struct.pack("<BBH", flags, 0, segment), *scopes)


def rhsa(base, domain):
    return entry(3, struct.pack("<IQI", 0, base, domain))


def andd(number, name, padding=1):
    return entry(4, bytes([0, 0, 0, number]) + name.encode() + bytes(padding))


def satc(*scopes, flags=0, segment=0):
    return entry(SATC, struct.pack("<BBH", flags, 0, segment), *scopes)


def sidp(*scopes, segment=0):
    return entry(SIDP, struct.pack("<HH", 0, segment), *scopes)


def table(*entries, width=39, flags=1, revision=1):
    body = b"".join(entries)
    data = bytearray(struct.pack("<4sIBB6s8sI4sIBB10x", b"DMAR", 48 + len(body), revision, 0,
                                 b"UNDPIN", b"TEST    ", 1, b"TEST", 1, width - 1, flags) + body)
    data[9] = -sum(data) & 0xff
    return bytes(data)


GPU = scope(1, 0, 0, (2, 0))
IOAPIC = scope(3, 2, 0xf0, (31, 0))
HPET = scope(4, 0, 0, (31, 7))
DEEP = scope(1, 0, 0x80, (1, 0), (0, 0), (31, 7))

MADE = {
    "one-unit": table(drhd(0xfed90000, IOAPIC, flags=1)),
    "desktop": table(drhd(0xfed90000, GPU), drhd(0xfed91000, IOAPIC, HPET, flags=1),
                     rmrr(0x7c000000, 0x7fffffff, GPU), rmrr(0xe0000, 0xeffff, DEEP)),
    "server": table(drhd(0xd0000000, DEEP, segment=1, flags=1), drhd(0xe0000000, segment=2),
                    drhd(0xf0000000, scope(2, 0, 0, (3, 0)), flags=1),
                    atsr(scope(2, 0, 0, (3, 0)), scope(2, 0, 0x20, (1, 1), (2, 2))),
                    atsr(flags=1, segment=2), rhsa(0xd0000000, 1), rhsa(0xf0000000, 0xffffffff),
                    width=52, flags=3),
    "acpi-devices": table(drhd(0xfed90000, scope(5, 1, 0, (21, 0)), scope(5, 9, 0, (30, 2)),
                               flags=1),
                          andd(1, "\\_SB.PCI0.I2C0", 6), andd(9, "\\_SB.PCI0.UART1"), width=32,
                          flags=7),
    "large-units": table(drhd(0xfc800000, GPU, order=4), drhd(0xfc810000, IOAPIC, order=15, flags=1),
                         satc(GPU, DEEP, flags=1),
                         sidp(scope(1, 0, 0, (2, 0), flags=0x1f), scope(1, 0, 0, (11, 0), flags=0x1c)),
                         width=46),
    "unknown": table(drhd(0xfed90000, IOAPIC, flags=1), entry(7, b"whatever"), entry(0xffff, b"")),
    "base-0": table(drhd(0xfed90000, GPU), drhd(0, IOAPIC, flags=1)),
}


def make(directory):
    os.makedirs(directory, exist_ok=True)
    for name, data in MADE.items():
        with open(os.path.join(directory, name + ".bin"), "wb") as file:
            file.write(data)


# --- what each says -----------------------------------------------------------

# iasl's words for a field of a structure, and of a device scope.
FIELDS = {"Length": "length", "Flags": "flags", "PCI Segment Number": "segment",
          "Register Base Address": "base", "Base Address": "base",
          "End Address (limit)": "last", "Proximity Domain": "domain",
          "Device Number": "number", "Device Name": "device"}
SCOPE_FIELDS = {"Entry Length": "length", "Enumeration ID": "id", "PCI Bus Number": "bus"}
LINE = re.compile(r"^\[(\w+)h \d+ +\d+\] +(.+?) : (.*)$")


def iasl(path):
    """The structures, and header fields, as iasl has them."""
    with tempfile.TemporaryDirectory() as where:
        out = os.path.join(where, "out")
        subprocess.run(["iasl", "-d", "-p", out, path], check=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
        with open(out + ".dsl", encoding="latin-1") as file:
            text = file.read()
    head, found, last = {}, [], None
    for offset, name, value in (match.groups() for match in
                                map(LINE.match, text.splitlines()) if match):
        number = value.split()[0]
        if name in ("Table Length", "Revision", "Host Address Width"):
            head[name] = int(number, 16)
        elif name == "Flags" and not found:
            head[name] = int(number, 16)
        elif name == "Subtable Type":
            if int(number, 16) >= IASL_KNOWS:
                break
            found.append({"offset": int(offset, 16), "type": int(number, 16)})
            last = found[-1]
        elif name == "Device Scope Type":
            last = {"type": int(number, 16), "path": []}
            found[-1].setdefault("scopes", []).append(last)
        elif name == "PCI Path":
            device, function = number.split(",")
            last["path"].append(f"{int(device, 16):02x}.{int(function, 16):x}")
        elif name == "Device Name":
            last["device"] = value.strip('"')
        elif found and name in (FIELDS if last is found[-1] else SCOPE_FIELDS):
            last[(FIELDS if last is found[-1] else SCOPE_FIELDS)[name]] = int(number, 16)
        elif found and name == "Reserved" and found[-1]["type"] == 0 and last is found[-1]:
            last["order"] = int(number, 16)     # it knows no sizes either
    return head, found


def scopes_of(data, at, end):
    while at < end:
        kind, length, flags, _, ident, bus = struct.unpack_from("<6B", data, at)
        path = data[at + 6:at + length]
        yield {"type": kind, "length": length, "flags": flags, "id": ident, "bus": bus,
               "path": [f"{path[i]:02x}.{path[i + 1]:x}" for i in range(0, len(path), 2)]}
        at += length


def newer(data):
    """SATC, SIDP, and unknown structures, decoded here."""
    at = 48
    while at < len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        one = {"offset": at, "type": kind, "length": length}
        if kind in (SATC, SIDP):
            one["segment"] = struct.unpack_from("<H", data, at + 6)[0]
            if kind == SATC:
                one["flags"] = data[at + 4]
            one["scopes"] = list(scopes_of(data, at + 8, at + length))
        if kind >= IASL_KNOWS:
            yield one
        at += length


def ours(said):
    """`underpin check --dmar -o json` with its addresses as numbers."""
    for one in said["structures"]:
        one = dict(one)
        one.pop("name")
        for name in ("base", "last"):
            if name in one:
                one[name] = int(one[name], 16)
        if "scopes" in one:
            one["scopes"] = [without(each, "kind") for each in one["scopes"]]
        yield one


def without(one, *names):
    return {key: value for key, value in one.items() if key not in names}


def comparable(one):
    """What iasl leaves out: a unit's end, which is its size's; scopes' flags."""
    if one["type"] >= IASL_KNOWS:
        return one
    one = without(one, *(["last"] if one["type"] == 0 else []))
    if "scopes" in one:
        one["scopes"] = [without(each, "flags") for each in one["scopes"]]
    return one


FLAG_NAMES = ["interrupt-remapping", "x2apic-opt-out", "dma-control-opt-in"]


def differences(underpin, path, refused):
    with open(path, "rb") as file:
        data = file.read()
    run = subprocess.run([underpin, "check", "--dmar", path, "-o", "json"], stdout=subprocess.PIPE,
                         check=False)
    said = json.loads(run.stdout)
    head, known = iasl(path)
    flags = [name for bit, name in enumerate(FLAG_NAMES) if head["Flags"] >> bit & 1]
    if [said["length"], said["revision"], said["width"] - 1, said["flags"]] != \
            [head["Table Length"], head["Revision"], head["Host Address Width"], flags]:
        yield f"header: {said} and {head}"
    true = sorted(known + list(newer(data)), key=lambda one: one["offset"])
    mine = [comparable(one) for one in ours(said)]
    for one, other in zip(mine, true):
        if one != other:
            yield f"{one} here, {other} there"
    if len(mine) != len(true):
        yield f"{len(mine)} structures here, {len(true)} there"
    for one in ours(said):
        if one["type"] == 0 and one["last"] != one["base"] + (4096 << one["order"]) - 1:
            yield f"a unit's pages: {one}"
    yield from judged(said["verdict"], run.returncode, refused)


def judged(verdict, status, refused):
    if verdict["accepted"] != (refused is None):
        yield f"verdict {verdict}, expected {refused or 'accepted'}"
    elif refused and (refused not in verdict["found"] or not verdict["cure"]):
        yield f"refused for another reason, or without a cure: {verdict}"
    if status != (0 if verdict["accepted"] else 3):
        yield f"exit status {status}"


def compare(options):
    refused = dict(item.split("=", 1) for item in options.known_refused)
    bad = 0
    for path in options.tables:
        name = os.path.basename(path).split(".")[0]
        for line in differences(options.underpin, path, refused.pop(name, None)):
            print(f"{path}: {line}")
            bad += 1
    for name in refused:
        print(f"{name}: not among the tables")
    print(f"{len(options.tables)} tables compared")
    return 1 if bad or refused or not options.tables else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("make").add_argument("directory")
    add = commands.add_parser("compare")
    add.add_argument("underpin")
    add.add_argument("tables", nargs="+")
    add.add_argument("--known-refused", action="append", default=[], metavar="NAME=TEXT")
    options = parser.parse_args()
    if options.command == "make":
        make(options.directory)
        return 0
    return compare(options)


if __name__ == "__main__":
    sys.exit(main())
