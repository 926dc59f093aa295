#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""logs.py make DIR: writes event logs of all forms into DIR, sound and broken ones.
logs.py compare UNDERPIN-ATTEST LOG...: `UNDERPIN-ATTEST log -o json` says of each log what
tpm2_eventlog says: PCR, type and digests of each event, and the PCRs they lead to. With
--known NAME=TEXT the log of that name is one that the two disagree on, and this says TEXT.
logs.py long UNDERPIN-ATTEST DIR: as many events as there may be, and one more."""

import argparse
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

SHA1, SHA256, SHA384 = 4, 0xb, 0xc
MOST = 100000           # events behind the first
MEMORY = 4              # times a log's bytes
INSTRUCTIONS = 40000    # an event
NAMES = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384"}


def old(pcr, kind, data, digest=bytes(20)):
    return struct.pack("<II20sI", pcr, kind, digest, len(data)) + data


def spec_id(*algs, vendor=b"", sizes=()):
    sizes = dict(sizes)
    body = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(algs))
    for alg in algs:
        body += struct.pack("<HH", alg, sizes.get(alg, hashlib.new(NAMES[alg]).digest_size))
    return old(0, 3, body + bytes([len(vendor)]) + vendor)


def event(pcr, kind, data, *algs):
    digests = b"".join(struct.pack("<H", alg) + hashlib.new(NAMES[alg], data).digest()
                       for alg in algs)
    return struct.pack("<III", pcr, kind, len(algs)) + digests + \
        struct.pack("<I", len(data)) + data


ONE = event(4, 0xd, b"boot", SHA256)
MADE = {
    "one-bank": spec_id(SHA256) + ONE + event(7, 4, bytes(4), SHA256),
    "three-banks": spec_id(SHA1, SHA256, SHA384) + event(0, 8, b"v\0", SHA1, SHA256, SHA384) +
    event(23, 6, struct.pack("<II", 1, 3) + b"tag", SHA1, SHA256, SHA384),
    "sha1-only": old(0, 8, b"version", hashlib.sha1(b"a").digest()) +
    old(7, 4, bytes(4), hashlib.sha1(b"b").digest()),
}
# Refused, and why.
BROKEN = {
    "empty": (b"", "it is empty"),
    "header-cut": (spec_id(SHA256) + ONE[:7], "shorter than its header"),
    "digest-cut": (spec_id(SHA256) + ONE[:30], "a digest reaches beyond the log"),
    "data-cut": (spec_id(SHA256) + ONE[:-1], "data reach beyond"),
    "data-huge": (spec_id(SHA256) + ONE[:-8] + b"\xff" * 4 + b"boot", "data reach beyond"),
    "pcr-24": (spec_id(SHA256) + event(24, 0xd, b"x", SHA256), "a PCR that no TPM has"),
    "digest-missing": (spec_id(SHA1, SHA256) + ONE, "not one digest for each"),
    "digest-twice": (spec_id(SHA1, SHA256) + event(0, 8, b"", SHA256, SHA256), "or one twice"),
    "digest-unlisted": (spec_id(SHA256) + event(0, 8, b"", SHA384), "does not list"),
    "digests-many": (spec_id(SHA256) + struct.pack("<III", 0, 8, 0xffffffff), "not one digest"),
    "no-algorithm": (spec_id(), "lists no algorithm"),
    "algorithm-twice": (spec_id(SHA256, SHA256), "or one twice"),
    "algorithm-size": (spec_id(SHA256, sizes={SHA256: 20}.items()), "size is not its algorithm"),
    "spec-id-cut": (old(0, 3, b"Spec ID Event03\0" + bytes(5)), "Spec ID event is malformed"),
    "vendor-cut": (old(0, 3, spec_id(SHA256)[32:-1] + b"\5"), "Spec ID event is malformed"),
}


def make(where):
    os.makedirs(where, exist_ok=True)
    for name, data in [*MADE.items(), *((name, row[0]) for name, row in BROKEN.items())]:
        with open(os.path.join(where, name + ".bin"), "wb") as file:
            file.write(data)


def ours(program, path):
    done = subprocess.run([program, "log", "-o", "json", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    said = json.loads(done.stdout)
    if ("fault" in said) != (done.returncode == 3) or done.returncode not in (0, 3):
        sys.exit(f"{path}: exit status {done.returncode}")
    return said


def theirs(path):
    """tpm2_eventlog's YAML, line by line; None if it does not come to the log's end."""
    done = subprocess.run(["tpm2_eventlog", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode or "\npcrs:" not in text:
        return None
    events, body = [], text.split("\npcrs:")
    for line in body[0].splitlines():
        field = re.match(r'[ -]*(PCRIndex|EventType|AlgorithmId|Digest): "?([^"]*)"?$', line)
        if not field:
            continue
        key, value = field.groups()
        if key == "PCRIndex":
            events.append({"pcr": int(value), "type": None, "digests": {}})
            alg = "sha1"
        elif key == "EventType" and events[-1]["type"] is None:
            events[-1]["type"] = value
        elif key == "AlgorithmId":
            alg = value
        elif key == "Digest":
            events[-1]["digests"].setdefault(alg, value)
    pcrs = {}
    for line in body[1].splitlines():
        if re.match(r"  \w+:$", line):
            bank = pcrs.setdefault(line.strip(" :"), {})
        value = re.match(r"    (\d+) *: 0x(\w+)$", line)
        if value:
            bank[value[1]] = value[2]
    return {"events": events, "pcrs": {name: bank for name, bank in pcrs.items() if bank}}


def difference(here, there):
    if there is None:
        return "tpm2_eventlog does not read it"
    if "fault" in here:
        return "refused here: " + here["fault"]
    for number, (a, b) in enumerate(zip(here["events"], there["events"])):
        a = {key: a[key] for key in b}
        if b["type"] and b["type"].startswith("Unknown"):
            a["type"] = b["type"]
        if a != b:
            return f"event {number}: {a} here, {b} there"
    if len(here["events"]) != len(there["events"]):
        return f"{len(here['events'])} events here, {len(there['events'])} there"
    pcrs = {name: bank for name, bank in here["pcrs"].items() if bank}
    return None if pcrs == there["pcrs"] else f"PCRs {pcrs} here, {there['pcrs']} there"


def compare(program, paths, known):
    bad = 0
    for path in paths:
        name = os.path.basename(path)[:-4]
        found = difference(ours(program, path), theirs(path))
        wanted = known.pop(name, None)
        if (wanted is None) != (found is None) or (wanted and wanted not in found):
            print(f"{name}: {found or 'no difference'}" +
                  (f", wanted: {wanted}" if wanted else ""))
            bad = 1
    for name in known:
        print(f"{name}: is known to differ, and not there")
    return 1 if bad or known else 0


def broken(program, where):
    bad = 0
    for name, (_, text) in BROKEN.items():
        fault = ours(program, os.path.join(where, name + ".bin")).get("fault", "nothing")
        if text not in fault:
            print(f"{name}: wanted '{text}', got '{fault}'")
            bad = 1
    return bad


def used(words):
    """Status, number of lines and the last of them, and KiB of memory at most.

    Nothing is kept here: what this process has counts as the other's until that has begun."""
    count, line = 0, ""
    with tempfile.TemporaryFile() as out:
        with subprocess.Popen(words, stdout=out) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        for line in out:
            count += 1
        return process.returncode, count, line.decode(), usage.ru_maxrss


def instructions(words):
    with tempfile.NamedTemporaryFile() as counts:
        subprocess.run(["valgrind", "-q", "--tool=callgrind",
                        f"--callgrind-out-file={counts.name}", *words],
                       stdout=subprocess.DEVNULL, check=True)
        text = counts.read().decode()
    return int(re.search(r"^(?:summary|totals): (\d+)", text, re.M)[1])


def write_long(where, count):
    path = os.path.join(where, f"long-{count}.bin")
    with open(path, "wb") as file:
        file.write(spec_id(SHA256))
        # Of the size of a launch's: tag, length and 32 bytes.
        for number in range(count):
            file.write(event(19, 6, struct.pack("<III28x", 0x55500001, 32, number), SHA256))
    return path


def long(program, where):
    """No clock: memory, and instructions for each event of a log that valgrind reads, too."""
    bad = []
    path = write_long(where, MOST)
    size = os.path.getsize(path)
    # The first says what the log is, and the PCR comes last.
    for words, lines in (("log", 2 * (MOST + 1) + 1), ("log -o json", 1 + MOST + 1 + 1)):
        status, count, last, memory = used([program, *words.split(), path])
        print(f"{words}: {MOST} events, {size} bytes: {memory} KiB")
        if status or count != lines:
            bad.append(f"{words}: status {status}, {count} lines: {last}")
        if memory * 1024 > MEMORY * size:
            bad.append(f"{words}: it takes more memory than {MEMORY} times the log")
    status, _, last, _ = used([program, "log", write_long(where, MOST + 1)])
    if status != 3 or "more than 100,000 events" not in last:
        bad.append(f"one more: status {status}: {last}")
    for words in ("log", "log -o json"):
        cost = [instructions([program, *words.split(), write_long(where, count)])
                for count in (100, 600)]
        each = (cost[1] - cost[0]) // 500
        print(f"{words}: {each} instructions an event")
        if not 0 < each <= INSTRUCTIONS:
            bad.append(f"{words}: more than {INSTRUCTIONS} instructions an event")
    for line in bad:
        print(line)
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("make", "compare", "broken", "long"))
    parser.add_argument("words", nargs="+")
    parser.add_argument("--known", action="append", default=[])
    arguments = parser.parse_args()
    words = arguments.words
    if arguments.verb == "make":
        return make(words[0])
    if arguments.verb == "broken":
        return broken(words[0], words[1])
    if arguments.verb == "long":
        return long(words[0], words[1])
    return compare(words[0], words[1:], dict(item.split("=", 1) for item in arguments.known))


if __name__ == "__main__":
    sys.exit(main())
