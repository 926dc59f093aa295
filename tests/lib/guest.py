# SPDX-License-Identifier: GPL-2.0-only
"""Protected guests in the test machine: what they are made of, and what they show."""

import json
import os
import re
import subprocess
import sys

import image

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIRMWARE = os.path.join(ROOT, "build/underpin-fw.bin")
NAMES = ["kernel", "initrd", "cmdline", "memmap", "vcpus"]      # of reports

count = 0


def check(name, problem):
    """One result: `problem` is None, or says what is wrong."""
    global count
    count += 1
    failed = problem is not None
    if failed:
        for line in str(problem).splitlines():
            print(f"# {line}")
    print(f"{'not ok' if failed else 'ok'} {count} - {name}", flush=True)


def plan():
    print(f"1..{count}")


def differ(wanted, got):
    return None if wanted == got else f"wanted: {wanted}\ngot:    {got}"


def initrd(path, program, work, more=(), folders=()):
    """An initrd of one static program, and more files: (name, data), in these folders."""
    init = os.path.join(work, "init")
    subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-s", "-o", init,
                    os.path.join(ROOT, program)], check=True)
    with open(init, "rb") as file:
        files = [("init", 0o100755, file.read(), (0, 0))]
    files += [(name, 0o40755, b"", (0, 0)) for name in folders]
    files += [(name, 0o100755, data, (0, 0)) for name, data in more]
    with open(path, "wb") as file:
        file.write(image.cpio(image.console_node() + files))
    return path


def expected(kernel, initrd_path, append, memory, cpus=1):
    done = subprocess.run([os.path.join(ROOT, "build/underpin"), "vm", "expected",
                           "--firmware", FIRMWARE, "--memory", str(memory), "--kernel", kernel,
                           "--initrd", initrd_path, "--append", append, "--cpus", str(cpus),
                           "-o", "json"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Run:
    """A guest's run in the machine: the parts of its output, by the name after '==='."""

    def __init__(self, files, seconds, words, options, timeout, cpus=1,
                 script="tests/guest/guest.sh"):
        copies = [FIRMWARE, os.path.join(ROOT, script), *files]
        done = subprocess.run(
            [os.path.join(ROOT, "tests/machine"), "-q", "--timeout", str(timeout),
             "--cpus", str(cpus), *[word for name in copies for word in ("--copy", name)], "--",
             "sh", "./" + os.path.basename(script), str(seconds), *map(str, words), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace").replace("\r", "")
        print("\n".join("# " + line for line in text.splitlines()), file=sys.stderr)
        found = re.split(r"^=== (\w+)(.*)$", text, flags=re.M)[1:]
        self.parts = {name: (rest.strip(), body) for name, rest, body
                      in zip(found[0::3], found[1::3], found[2::3])}
        self.serial = self.text("serial")

    def word(self, name):
        """What stands in the line of the part's name."""
        return self.parts.get(name, ("", ""))[0]

    def text(self, name):
        return self.parts.get(name, ("", ""))[1]

    def json(self, name):
        try:
            return json.loads(self.text(name))
        except ValueError:
            return {}

    def exits(self, names):
        """How often VMs left for these reasons."""
        return {name: sum(cpu.get("exits_vm", {}).get(name, 0)
                          for cpu in self.json("layer").get("cpus", [])) for name in names}

    def check_measured(self, want, names):
        """What it is, and that its memory is the host's again."""
        show = self.json("show")
        reports = show.get("reports", {})
        check("the layer's measurement is the expected one",
              differ(want["measurement"], show.get("measurement")))
        for index, name in enumerate(names):
            check(f"the reported digest '{name}' is the expected one",
                  differ(want[name], reports.get(str(index))))
        layer = self.json("layer")
        check("its memory went back to the host",
              differ((0, 0), (layer.get("vms"), layer.get("vm_frames"))))
