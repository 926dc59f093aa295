# SPDX-License-Identifier: GPL-2.0-only
"""A TPM that misbehaves: swtpm, and between it and QEMU tests/tpm/bridge.c."""

import os
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BRIDGE = os.path.join(ROOT, "build/attest/bridge")


class Bridge:
    def __init__(self, where):
        self.path = os.path.join(where, "qemu")
        real = os.path.join(where, "swtpm")
        # pylint: disable=consider-using-with
        self.swtpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={where}", "--ctrl",
             f"type=unixio,path={real}", "--terminate"], stderr=subprocess.DEVNULL)
        while not os.path.exists(real):
            time.sleep(0.05)
        # It goes on in the background, and ends with QEMU.
        subprocess.run([BRIDGE, real, self.path], check=True)

    def end(self):
        self.swtpm.terminate()
        self.swtpm.wait()
