# SPDX-License-Identifier: GPL-2.0-only
"""A launch that is played beside a real software TPM, and evidence of it.

The launch's log and signatures are made by the layer's own code in user space
(tests/attest/launch.c), and PCR 19 is extended at locality 2 of swtpm."""

import hashlib
import json
import os
import struct
import subprocess

import txt

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ATTEST = os.path.join(ROOT, "build/underpin-attest")
LAUNCH = os.path.join(ROOT, "build/attest/launch")
SEED, OTHER_SEED = "11" * 32, "22" * 32
NONCE, STALE = "ab" * 32, "cd" * 32
IMAGE = hashlib.sha256(b"root image").digest()
CONFIG, IOMMU = b"no authority", b"full"
AK, RSA_AK = "0x81010002", "0x81010003"
IMAGE_EVENT, CONFIG_EVENT, IOMMU_EVENT, KEY_EVENT, END_EVENT = range(1, 6)
# Of a VM.
MEASUREMENT = hashlib.sha256(b"firmware").hexdigest()
REPORTS = [hashlib.sha256(name).hexdigest()
           for name in (b"kernel", b"initrd", b"cmdline", b"memmap", b"vcpus")]
GHCI, ASKED = 1, 2
RUNNABLE, DEAD = 3, 4
SMM = 16

count = 0


def check(name, problem):
    global count
    count += 1
    if problem:
        for line in str(problem).splitlines():
            print(f"# {line}")
    print(f"{'not ok' if problem else 'ok'} {count} - {name}", flush=True)


def plan():
    print(f"1..{count}")


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout


# --- the launch's log, written here by the document alone ---

def event(kind, content, pcr=19, digest=None, tag=0x55500000):
    data = struct.pack("<II", tag + kind, len(content)) + content
    digest = digest or hashlib.sha256(data).digest()
    return struct.pack("<IIIH", pcr, 6, 1, 0xb) + digest + struct.pack("<I", len(data)) + data


SPEC_ID = struct.pack("<II20sI", 0, 3, bytes(20), 33) + b"Spec ID Event03\0" + \
    struct.pack("<IBBBBIHHB", 0, 0, 2, 0, 2, 1, 0xb, 32, 0)


def public(seed):
    return bytes.fromhex(run(LAUNCH, "public", seed).decode())


def events(pcr=19, image=IMAGE, config=CONFIG, iommu=IOMMU, seed=SEED):
    return [event(IMAGE_EVENT, image, pcr), event(CONFIG_EVENT, config, pcr),
            event(IOMMU_EVENT, iommu, pcr), event(KEY_EVENT, public(seed), pcr)]


def log(rows):
    return SPEC_ID + b"".join(rows)


def digests(rows):
    return [row[14:46] for row in rows]


def replay(values, start=b"\xff" * 32):
    for value in values:
        start = hashlib.sha256(start + value).digest()
    return start


# --- evidence ---

class Bed:
    """A folder with a policy, and what is verified in it."""

    def __init__(self, work):
        self.work = work
        self.policy = None

    def file(self, name, data):
        path = os.path.join(self.work, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def quote(self, tpm, rows, nonce=NONCE, seed=SEED, flags=0, signed=None, ak=AK, pcrs="0,7",
              firmware=b"", registers=None):
        words = [ATTEST, "quote", "--nonce", nonce, "--launch",
                 self.file("launch", run(LAUNCH, "sign", seed, signed or nonce, str(flags))),
                 "--launch-log", self.file("launch.log", log(rows)),
                 "--firmware-log", self.file("firmware.log", firmware)]
        if registers:
            words += ["--registers", self.file("registers", txt.registers(registers))]
        words += ["--ak", ak, "--tcti", tpm.tcti, "--pcrs", pcrs] if tpm else ["--no-tpm"]
        return json.loads(run(*words))

    def verify(self, evidence, policy=None, nonce=NONCE):
        """Steps that failed, with their reasons, and how it is rooted."""
        if not isinstance(evidence, bytes):
            evidence = json.dumps(evidence, separators=(",", ":")).encode()
        done = subprocess.run(
            [ATTEST, "verify", "-o", "json", "--policy",
             self.file("policy", json.dumps(policy or self.policy).encode()), "--nonce", nonce,
             self.file("evidence", evidence)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)
        try:
            said = json.loads(done.stdout)
        except ValueError:
            return f"status {done.returncode}: {done.stdout.decode(errors='replace')}", None
        if done.returncode != (0 if said["accepted"] else 3):
            return f"exit status {done.returncode}", None
        failed = [f"{row['step']}: {row['reason']}" for row in said["steps"]
                  if row["result"] == "FAIL"]
        return "\n".join(failed), said.get("root")


def make_key(tpm, kind, handle, work):
    context = os.path.join(work, "ak.ctx")
    tpm.tool("tpm2_createprimary", "-C", "e", "-G", kind, "-c", context, "-a",
             "restricted|sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth")
    tpm.tool("tpm2_evictcontrol", "-C", "o", "-c", context, handle)
    tpm.tool("tpm2_flushcontext", "-t")
    der = os.path.join(work, "ak.der")
    tpm.tool("tpm2_readpublic", "-c", handle, "-f", "der", "-o", der)
    with open(der, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def launch(tpm, rows, pcr=19):
    for digest in digests(rows):
        tpm.extend(pcr, digest)


def report(data, seed=SEED, measurement=MEASUREMENT, reports=None, vm_flags=GHCI | ASKED,
           flags=SMM, state=RUNNABLE):
    """What the layer gives a VM that asks over 64 bytes."""
    return run(LAUNCH, "vm", seed, data.hex(), measurement, "".join(reports or REPORTS),
               str(vm_flags), str(flags), str(state))
