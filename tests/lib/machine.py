# SPDX-License-Identifier: GPL-2.0-only
"""A running test machine: its process, what it says, and how it ends."""

import contextlib
import ctypes
import fcntl
import os
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import time

import cache
import image
from cache import Failure, say

TIMED_OUT = 124
DIED = 125
JOB_DISK_SIZE = 96 << 20
FRAME = b"\x1eU"
COMMAND_LINE = ("console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 "
                "nomodeset panic=0")


# What Bochs says on stderr each time it starts.
NOISE = re.compile(r"^\d+i\[|ALSA lib|autodetection enabled$")

# What its log says of any Linux.
LOG_NOISE = re.compile(r"Unknown register|restore_logopts|SVM_HSAVE_PA_MSR")


class Died(Exception):
    """The machine ended, or can no longer be expected to answer."""


# --- what goes in -----------------------------------------------------------

def command_line(options):
    level = "7" if options.verbose and options.fresh else "4"
    return " ".join(filter(None, [COMMAND_LINE, f"loglevel={level}",
                                  idle(options), options.append]))


def idle(options):
    """Bochs loses MWAIT's wake-ups by another processor: idle ones use HLT."""
    if options.platform == "bochs" and options.cpus > 1:
        return "idle=halt"
    return ""


def grub_config(options):
    words = " ".join("'" + word.replace("'", "") + "'"
                     for word in command_line(options).split())
    return (f"linux (hd1)/boot/vmlinuz {words}\n"
            "initrd (hd1)/boot/initrd\nboot\n").encode()


def job_script(options):
    """One argument is a shell command; several are a program's arguments."""
    command = options.command
    text = command[0] if len(command) == 1 else shlex.join(command)
    driver = "modprobe tpm_tis || exit 126\n" if options.tpm else ""
    return f"#!/bin/sh\n{driver}{text}\n".encode()


def job_files(options, waiting=False):
    """The files of the job disk; the first one's name says if it is a job."""
    boot = (".job/grub.cfg", 0o644, grub_config(options))
    if waiting:
        return [(".job/none", 0o644, b""), boot]
    files = [(".job/run", 0o755, job_script(options)), boot,
             (".job/seed", 0o600, os.urandom(64)),
             (".job/clock", 0o644, b"%d" % time.time())]
    for path in options.files:
        try:
            data = cache.read(path)
        except OSError as error:
            raise Failure(f"cannot read '{path}' for the machine: "
                          f"{error.strerror}")
        mode = os.stat(path).st_mode & 0o777
        files.append(("underpin/" + os.path.basename(path), mode, data))
    return files


# --- a slot a core ----------------------------------------------------------

@contextlib.contextmanager
def core_slot():
    """Emulators run as fast as a core does: one each, others wait.
    UNDERPIN_MACHINES=unlimited: do not wait."""
    if os.environ.get("UNDERPIN_MACHINES") == "unlimited":
        yield
        return
    slots = [open(os.path.join(cache.directory(), f"slot-{number}.lock"), "w")
             for number in range(os.cpu_count() or 1)]
    try:
        with cache.lock("queue", "waiting for a free core behind others"):
            waited = False
            while not any(take(slot) for slot in slots):
                if not waited:
                    say("waiting for a free core: other machines are running")
                waited = True
                time.sleep(0.2)
        yield
    finally:
        for slot in slots:
            slot.close()


def take(slot):
    try:
        fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


# --- the process ------------------------------------------------------------

def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Frames:
    """Finds the frames that tests/image/init.c sends among other output."""

    def __init__(self):
        self.data = bytearray()

    def feed(self, data):
        self.data += data
        while True:
            start = self.data.find(FRAME)
            if start < 0:
                del self.data[:-1]
                return
            del self.data[:start]
            if len(self.data) < 7:
                return
            kind, length = struct.unpack_from("<cI", self.data, 2)
            if len(self.data) < 7 + length:
                return
            body = bytes(self.data[7:7 + length])
            del self.data[:7 + length]
            yield kind.decode("latin-1"), body


def count_in_memory(pid, pattern):
    """How often the bytes are in a process's writable memory."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            words = line.split()
            if "w" not in words[1]:
                continue
            start, end = (int(word, 16) for word in words[0].split("-"))
            memory.seek(start)
            while start < end:
                piece = memory.read(min(end - start, 1 << 26))
                found += piece.count(pattern)
                start += len(piece)
    return found


class Machine:
    """Runs an emulator's process and follows it to the end of its job.

    An emulator sends the bytes of port 0xe9 to its standard output, and keeps
    serial.txt (the console), lpt.txt (the parallel port) and its own log in
    the directory `where`.
    """

    CONSOLE = "serial.txt"

    def __init__(self, where, arguments, options, environment=None,
                 stdin=subprocess.DEVNULL):
        self.where = where
        self.options = options
        self.started = time.monotonic()
        self.serial_seen = 0
        self.serial_tail = b""
        self.frames = Frames()
        self.booted = False
        self.restarts = options.restarts
        self.panic_at = None
        self.process = subprocess.Popen(
            arguments, cwd=where, stdin=stdin, stdout=subprocess.PIPE,
            stderr=open(os.path.join(where, "stderr.txt"), "wb"),
            env=dict(os.environ, **(environment or {})),
            preexec_fn=die_with_parent)

    def elapsed(self):
        return time.monotonic() - self.started

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def follow(self, until, timeout):
        """Handles frames until one of the kind `until` comes; returns it."""
        while True:
            if self.elapsed() > timeout:
                raise TimeoutError
            ready, _, _ = select.select([self.process.stdout], [], [], 0.2)
            if ready:
                data = os.read(self.process.stdout.fileno(), 1 << 16)
                for kind, body in self.frames_in(data):
                    if self.handle(kind, body, until):
                        return body
                if not data:
                    self.process.wait()
                    self.watch_console()
                    raise Died("the machine switched itself off or its "
                               "emulator ended "
                               f"(status {self.process.returncode})")
            self.watch_console()

    def frames_in(self, data):
        return self.frames.feed(data)

    def handle(self, kind, body, until):
        if kind == "B":
            if self.booted and not self.restarts:
                self.find()
                raise Died("the machine restarted itself")
            self.restarts -= self.booted
            self.booted = True
            self.progress("user space")
        elif kind == "R":
            self.progress("waits for its job")
        elif kind == "J":
            self.progress("runs the command")
        elif kind in "12":
            stream = sys.stdout if kind == "1" else sys.stderr
            stream.buffer.write(body)
            stream.buffer.flush()
        elif kind == "F" or kind == "X" and not self.options.second:
            self.find()
        elif kind == "E":
            raise Died(body.decode(errors="replace"))
        return kind == until

    def find(self):
        for pattern in self.options.find:
            found = count_in_memory(self.process.pid, pattern)
            print(f"found {found}", flush=True)

    def progress(self, text):
        if not self.options.quiet:
            say(f"{self.elapsed():6.1f} s  {text}")

    def watch_console(self):
        """Follows the console: shows it with -v, and notices a panic."""
        path = os.path.join(self.where, self.CONSOLE)
        if os.path.exists(path) and os.path.getsize(path) > self.serial_seen:
            with open(path, "rb") as file:
                file.seek(self.serial_seen)
                data = file.read()
            self.serial_seen += len(data)
            data = data.replace(b"\0", b"")
            if self.options.verbose:
                sys.stderr.buffer.write(data)
                sys.stderr.flush()
            self.serial_tail = (self.serial_tail + data)[-4096:]
            if (b"Kernel panic - not syncing" in self.serial_tail
                    and not self.options.second):
                self.panic_at = self.panic_at or time.monotonic()
        if self.panic_at and time.monotonic() - self.panic_at > 2:
            raise Died("its kernel panicked")

    # --- last words

    def last_words(self):
        for name, lines in (("stderr.txt", 10), ("lpt.txt", 40),
                            ("serial.txt", 60), ("inner.txt", 60)):
            self.show_tail(name, self.tail(name, lines))
        self.show_tail("bochs.log", self.telling_lines("bochs.log", 20))

    def show_tail(self, name, lines):
        if lines:
            say(f"last words, {name}:")
            for line in lines:
                print("  | " + line.rstrip("\r"), file=sys.stderr)
            sys.stderr.flush()

    def tail(self, name, count):
        try:
            data = cache.read(os.path.join(self.where, name))
        except OSError:
            return []
        # Before what a restored machine says there are zeros.
        data = data.replace(b"\0", b"")[-(1 << 17):]
        lines = data.decode(errors="replace").splitlines()
        if name == "stderr.txt":
            lines = [line for line in lines if not NOISE.search(line)]
        return lines[-count:]

    def telling_lines(self, name, count):
        telling = re.compile(r"VMFAIL|VMENTER FAIL|VMABORT|PANIC|^\d+e|TRAP|"
                             r"exception\(\)|shutdown", re.I)
        return [line for line in self.tail(name, 2000)
                if telling.search(line) and not LOG_NOISE.search(line)
                ][-count:]


def finish(machine):
    """Follows a job to its end and returns the status to exit with."""
    try:
        status = int(machine.follow("X", machine.options.timeout))
        machine.progress(f"exit status {status}")
        return status
    except TimeoutError:
        say(f"no end within {machine.options.timeout:.0f} s (--timeout)")
        machine.last_words()
        return TIMED_OUT
    except Died as reason:
        say(f"the machine died after {machine.elapsed():.1f} s: {reason}")
        machine.last_words()
        return DIED
    finally:
        machine.stop()
