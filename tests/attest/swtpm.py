# SPDX-License-Identifier: GPL-2.0-only
"""A real software TPM, beneath tpm2-tools and underpin-attest."""

import os
import socket
import struct
import subprocess
import time

SET_LOCALITY, HASH_START, HASH_DATA, HASH_END = range(5, 9)    # of swtpm's control channel


class Swtpm:
    def __init__(self, where):
        self.path = os.path.join(where, "tpm")
        os.makedirs(os.path.join(where, "state"), exist_ok=True)
        self.state = os.path.join(where, "state")
        self.tcti = f"swtpm:path={self.path}"
        self.start()

    def start(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}", "--server",
             f"type=unixio,path={self.path}", "--ctrl", f"type=unixio,path={self.path}.ctrl",
             "--flags", "not-need-init,startup-clear"], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not os.path.exists(self.path + ".ctrl") and time.monotonic() < until:
            time.sleep(0.05)

    def end(self):
        self.process.terminate()
        self.process.wait()
        for name in (self.path, self.path + ".ctrl"):
            if os.path.exists(name):
                os.unlink(name)

    def reset(self):
        """As an orderly reboot does: PCRs begin anew, resetCount goes on."""
        self.tool("tpm2_shutdown", "-c")
        self.end()
        self.start()

    def control(self, *commands):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.path + ".ctrl")
            for command in commands:
                control.sendall(command)
                if struct.unpack(">I", control.recv(4))[0]:
                    raise RuntimeError(f"swtpm refuses {command[:4].hex()}")

    def locality(self, number):
        self.control(struct.pack(">IB", SET_LOCALITY, number))

    def dynamic_launch(self, measured):
        """What a processor does at SENTER: PCRs 17 to 22 are zeros, then 17 is extended."""
        self.control(struct.pack(">I", HASH_START),
                     struct.pack(">II", HASH_DATA, len(measured)) + measured,
                     struct.pack(">I", HASH_END))

    def tool(self, *words, fails=False):
        done = subprocess.run(words, env={**os.environ, "TPM2TOOLS_TCTI": self.tcti},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if bool(done.returncode) != fails:
            raise RuntimeError(f"{' '.join(words)}: {done.stdout.decode()}")
        return done.stdout.decode()

    def extend(self, pcr, digest, locality=2):
        """By hand: tpm2-tools have no word for a locality."""
        command = struct.pack(">IIIIHBHIHH", 0x182, pcr, 9, 0x40000009, 0, 0, 0, 1, 0xb, 0)[:-2]
        command = struct.pack(">HI", 0x8002, 6 + len(command) + 32) + command + digest
        self.locality(locality)
        with socket.socket(socket.AF_UNIX) as data:
            data.connect(self.path)
            data.sendall(command)
            code = struct.unpack_from(">I", data.recv(4096), 6)[0]
        self.locality(0)
        if code:
            raise RuntimeError(f"PCR {pcr} cannot be extended at locality {locality}: {code:#x}")
