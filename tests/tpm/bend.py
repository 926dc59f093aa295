# SPDX-License-Identifier: GPL-2.0-only
"""A TPM that misbehaves: swtpm, and between it and QEMU a bridge that bends some commands.

An extend whose digest begins with one of the bytes below. Answers whose header lies are no
use here: QEMU answers in their place."""

import array
import os
import socket
import struct
import subprocess
import threading
import time

SLOW, HUNG, FAILING, TWICE, FOR_EVER, LONG = range(0xe1, 0xe7)
EXTEND = bytes.fromhex("00000182")
DIGEST_AT = 33
SET_DATAFD = 0x10           # of swtpm's control channel: a descriptor goes with it
SECONDS_SLOW = 3


def answer(code, extra=b""):
    return struct.pack(">HII", 0x8001, 10 + len(extra), code) + extra


class Bridge:
    """Hands messages on, and counts commands."""

    def __init__(self, where):
        self.where = where
        self.commands = 0
        self.again = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.path = os.path.join(where, "qemu")
        self.listener.bind(self.path)
        self.listener.listen(1)
        real = os.path.join(where, "swtpm")
        # pylint: disable=consider-using-with
        self.swtpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={where}", "--ctrl",
             f"type=unixio,path={real}", "--terminate"], stderr=subprocess.DEVNULL)
        while not os.path.exists(real):
            time.sleep(0.05)
        self.real = socket.socket(socket.AF_UNIX)
        self.real.connect(real)
        threading.Thread(target=self.control, daemon=True).start()

    def control(self):
        qemu, _ = self.listener.accept()
        while True:
            data, ancillary, _, _ = qemu.recvmsg(4096, socket.CMSG_LEN(4))
            if not data:
                return
            if ancillary:
                fds = array.array("i", ancillary[0][2][:4])
                ours, theirs = socket.socketpair()
                self.real.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                            array.array("i", [theirs.fileno()]))])
                end = socket.socket(fileno=fds[0])
                threading.Thread(target=self.bridge, args=(end, ours), daemon=True).start()
            else:
                self.real.sendall(data)
            qemu.sendall(self.real.recv(4096))

    def bridge(self, qemu, real):
        while True:
            command = qemu.recv(4096)
            if not command:
                return
            self.commands += 1
            reply = self.bent(command)
            if reply is None:
                real.sendall(command)
                reply = real.recv(4096)
            if reply:
                qemu.sendall(reply)

    def bent(self, command):
        """An answer that swtpm does not give, b"" for none, or None: swtpm shall answer."""
        bends = command[6:10] == EXTEND and not any(command[DIGEST_AT + 1:])
        how = command[DIGEST_AT] if bends and len(command) > DIGEST_AT else 0
        if how == SLOW:
            time.sleep(SECONDS_SLOW)
        if how == TWICE and self.again < 2:
            self.again += 1
            return answer(0x922)
        return {HUNG: b"", FAILING: answer(0x101), FOR_EVER: answer(0x922),
                LONG: answer(0, bytes(200))}.get(how)

    def end(self):
        self.real.close()
        self.swtpm.terminate()
        self.swtpm.wait()
