# SPDX-License-Identifier: GPL-2.0-only
"""What a dynamic launch leaves behind, made by the documents: TXT's registers and heap, the header
of an ACM, the table of Secure Launch, tboot's page."""

import struct

PAGE = 4096
OFFSETS = {"STS": 0, "ESTS": 8, "ERRORCODE": 0x30, "DIDVID": 0x110, "SINIT_BASE": 0x270,
           "SINIT_SIZE": 0x278, "HEAP_BASE": 0x300, "HEAP_SIZE": 0x308, "DPR": 0x330, "E2STS": 0x8f0}

# As txt-stat printed them on real machines (TrenchBoot/trenchboot-hcl), and what they are worth.
# It says "measured" of the first, whose environment is over.
MACHINES = [
    ("left", {"STS": 0x3, "E2STS": 4, "DIDVID": 0x1b00f8086}),
    ("failed", {"STS": 0x12, "E2STS": 8, "ERRORCODE": 0xc00014f1, "DIDVID": 0x1b0068086,
                "SINIT_BASE": 0xd8ed0000, "SINIT_SIZE": 327680, "HEAP_BASE": 0xd8f20000,
                "HEAP_SIZE": 917504, "DPR": 0xd9000041}),
    ("measured", {"STS": 0x10091, "E2STS": 8, "DIDVID": 0x1b0068086, "SINIT_BASE": 0xd8ed0000,
                  "SINIT_SIZE": 327680, "HEAP_BASE": 0xd8f20000, "HEAP_SIZE": 917504,
                  "DPR": 0xd9000041}),
    ("measured", {"STS": 0x10081, "E2STS": 12, "DIDVID": 0x1b0088086, "SINIT_BASE": 0x9bec0000,
                  "SINIT_SIZE": 327680, "HEAP_BASE": 0x9bf10000, "HEAP_SIZE": 983040,
                  "DPR": 0x9c000041}),
    ("failed", {"STS": 0x12, "ERRORCODE": 0xc0001c21, "DIDVID": 0x1b00c8086,
                "SINIT_BASE": 0x5fec0000, "SINIT_SIZE": 327680, "HEAP_BASE": 0x5ff10000,
                "HEAP_SIZE": 983040, "DPR": 0x60000041}),
    ("never", {"STS": 0x2, "E2STS": 4, "DIDVID": 0x1b00c8086}),
]
MEASURED = MACHINES[2][1]
LEFT = MACHINES[0][1]


def registers(values, rest=0):
    page = bytearray([rest]) * PAGE
    for name, at in OFFSETS.items():
        size = {"ESTS": 1, "ERRORCODE": 4}.get(name, 8)
        page[at:at + size] = values.get(name, 0).to_bytes(size, "little")
    return bytes(page)


# --- the heap ---

def element(kind, data=b""):
    return struct.pack("<II", kind, 8 + len(data)) + data


END = element(0)
SPEC = element(1, struct.pack("<HHH", 2, 1, 7))
ACMS = element(2, struct.pack("<IQQ", 2, 0xfff00000, 0xfff80000))
LOG2 = element(7, struct.pack("<IHHQIII", 1, 4, 0, 0x7b001000, 4096, 48, 96))
LOG2_1 = element(8, struct.pack("<QIII", 0x7b002000, 32768, 0, 1234))


def bios(version, elements=END, sinit=0x40000):
    data = struct.pack("<IIQQI", version, sinit, 0x1000, 0x2000, 8)
    if version >= 3:
        data += struct.pack("<II", 3, 5)
    return data + (elements if version >= 4 else b"")


def os_sinit(version, elements=END):
    data = struct.pack("<II9QI", version, 1, *range(0x1000, 0xa000, 0x1000), 0x2e)
    if version >= 5:
        data += struct.pack("<Q", 0x7fe14000)
    return data + (elements if version >= 6 else b"")


def sinit_mle(version, elements=END, mdrs=2, mdr_offset=None):
    tail = 148 if version >= 8 else 144
    offset = 8 + tail + (len(elements) if version >= 9 else 0) if mdr_offset is None else mdr_offset
    data = struct.pack("<I20sIQ20s20s20s20sII", version, b"\1" * 20, 2, 1, b"\2" * 20, b"\3" * 20,
                       b"\4" * 20, b"\5" * 20, 7, 0xfee0) + \
        struct.pack("<IIIII", 0, mdrs, offset, 0, 0)
    if version >= 8:
        data += struct.pack("<I", 9)
    if version >= 9:
        data += elements
    return data + b"".join(struct.pack("<QQBxxxxxxx", n << 30, 0x1000, n) for n in range(2))


def secure_launch(slrt):
    """What Linux's Secure Launch has for itself."""
    return struct.pack("<IIQQII64x", 1, 0, slrt, 0, 0x9000, 0x1000)


def heap(*tables):
    return b"".join(struct.pack("<Q", 8 + len(table)) + table for table in tables)


# --- what launchers have ---

def acm(words=1024, version=5, **more):
    key, scratch, head = 64, 143, 161
    info = 4 * (head + scratch)
    chips = struct.pack("<IIHHHHI", 1, 1, 0x8086, 0xb006, 1, 0, 0)
    cpus = struct.pack("<IIIQQ", 1, 0x306c0, 0xfff3ff0, 0, 0)
    text = struct.pack("<HHIIHHIIIHHI", more.get("kind", 2), 0, more.get("head", head), 0, 0xb006, 0,
                       more.get("vendor", 0x8086), 0x20140527, words, 3, 4, 0)
    text += struct.pack("<IIIII64xII", 0, 0, 0, 8, 0xcfd1, key, scratch)
    text = text.ljust(info, b"\0")
    table = more.get("uuid", bytes.fromhex("aa3ac07fa746db182eac698f8d417f5a"))
    table += struct.pack("<BBHIIII", 1, version, 48, more.get("chips", info + 64), 7, 0x20001, 0x2e)
    table += struct.pack("<BBBBII", 2, 0, 1, 3, info + 64 + len(chips), info + 200)
    text += table.ljust(64, b"\0") + chips + cpus
    return text.ljust(4 * words, b"\0")


def slrt_wide(count=2, end=True, size=None):
    entries = struct.pack("<II8Q", 1, 72, *range(1, 9))
    entries += struct.pack("<IIHHIQ", 2, 24, 2, 0, 65536, 0x7c000000)
    policy = b"".join(struct.pack("<HHHHQQ32s", 17 + n, 1 + n, 1, 0, 100, 0x1000 * n, b"event %d" % n)
                      for n in range(2))
    entries += struct.pack("<IIHHHH", 3, 16 + len(policy), 0, 0, 1, count) + policy
    if end:
        entries += struct.pack("<II", 0xffff, 8)
    return struct.pack("<IHHII", 0x4452544d, 1, 1, size or 16 + len(entries), 4096) + entries


def slrt_narrow():
    entries = struct.pack("<HHHHQI", 2, 20, 2, 0, 0x7c000000, 65536)
    policy = struct.pack("<HHHHQQ32s", 18, 16, 1, 0, 0x3000, 100, b"heap")
    entries += struct.pack("<HHHH", 3, 8 + len(policy), 1, 1) + policy
    return struct.pack("<IHHII", 0x4452544d, 1, 1, 16 + len(entries), 4096) + entries


def tboot_page(version, key=b"\x5a" * 64):
    page = bytes.fromhex("ff8d3c66b3e8824bbfaa19ea4d057a08") + \
        struct.pack("<IIII72xIIB384x", version, 0x60000, 0x804000, 0, 0x803000, 0x1c5000, 2) + key
    return (page + struct.pack("<3xIIII", 3, 1, 0, 0)).ljust(PAGE, b"\0")


def tboot_log(text=b"TBOOT: *** TBOOT ***\n"):
    return (bytes.fromhex("262519c0306bb44d4c84a3e953b88174") +
            struct.pack("<HH41x", 32706, len(text)) + text).ljust(0x8000, b"\0")
