# SPDX-License-Identifier: GPL-2.0-only
"""All KVM selftests of a kernel, bare and beneath the layer: run, kept, compared.

Results are kept in a file for each kernel and mode, named by a hash of all that they depend on, a
line a test as it ends: who is stopped goes on there, and what has not changed is not run again."""

import os
import re
import subprocess
import sys
import time

import cache

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSIDE = os.path.join(ROOT, "tests/machine.d")
KEPT = os.path.join(ROOT, "build/kvm-selftests")
MODES = ["bare", "beneath"]
PASS = "pass"
WORDS = {0: PASS, 4: "skip", 124: "timeout", 137: "timeout"}
NOT_BEGUN = (2, 99, 126)        # tests/machine, kvm-all.sh: not a test's doing
BATCH = 8               # tests in a machine: how much a machine's end costs
MACHINE_TIMEOUT = 7200


def status_word(status, kernel):
    word = WORDS.get(status, f"status {status}")
    return word if kernel == "quiet" else f"{word}, kernel complains"


def machine(kernel, files, mode, seconds, tests):
    """A machine that runs kvm-all.sh: its lines as they come, and its status as the last."""
    command = [os.path.join(ROOT, "tests/machine"), "-q", "--kernel", kernel,
               "--timeout", str(MACHINE_TIMEOUT)]
    for path in [os.path.join(INSIDE, "kvm-all.sh"), *files]:
        command += ["--copy", path]
    with subprocess.Popen(command + ["--", "sh", "kvm-all.sh", mode, str(seconds), *tests],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          errors="replace") as run:
        for line in run.stdout:
            yield line.rstrip("\r\n")
    yield run.wait()


class Kept:
    """Results by test, (word, seconds, last words), in a file that grows."""

    def __init__(self, name, *inputs):
        os.makedirs(KEPT, exist_ok=True)
        self.path = os.path.join(KEPT, f"{name}-{cache.hash_of(name, *inputs)}.tsv")
        self.results = {}
        if not os.path.exists(self.path):
            return
        text = cache.read(self.path)
        whole = text[:text.rfind(b"\n") + 1]
        if whole != text:               # stopped as it wrote: the next line begins anew
            os.truncate(self.path, len(whole))
        for line in whole.decode().splitlines():
            test, *result = line.split("\t")
            self.results[test] = tuple(result)

    def add(self, test, word, seconds, said):
        result = (word, str(seconds), " ".join(said.split()))
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("\t".join((test, *result)) + "\n")
        self.results[test] = result


class Column:
    """A kernel's tests in one mode."""

    def __init__(self, version, mode, folder, kernel, module, seconds, run=machine):
        self.version, self.mode, self.folder, self.kernel = version, mode, folder, kernel
        self.module, self.seconds, self.machine = module, seconds, run
        inputs = [os.path.basename(folder), kernel, str(seconds),
                  cache.read(os.path.join(INSIDE, "kvm-all.sh"))]
        if mode != "bare":
            inputs.append(cache.read(module))
        self.kept = Kept(f"{version}-{mode}", *inputs)

    def path(self, test):
        return os.path.join(self.folder, os.path.basename(test))

    def note(self, test, word, seconds, said):
        self.kept.add(test, word, seconds, said)
        print(f"# {self.version} {self.mode} {len(self.kept.results)}: {test}: {word} "
              f"({seconds} s) {said}", flush=True)

    def batch(self, tests):
        """Runs some; one whose machine ends has that as its result."""
        by_base = {os.path.basename(test): test for test in tests}
        files = [self.path(test) for test in tests]
        # Scripts run programs of their name.
        files += [path[:-3] for path in files if path.endswith(".sh") and path[:-3] not in files]
        begin, status = time.monotonic(), None
        for line in self.machine(self.kernel, files + [self.module], self.mode, self.seconds,
                                 [*by_base]):
            if isinstance(line, int):
                status = line
                continue
            found = re.match(r"result (\S+) (\d+) (\d+) (quiet|complains) ?(.*)", line)
            if found and found[1] in by_base:
                self.note(by_base.pop(found[1]), status_word(int(found[2]), found[4]), found[3],
                          found[5])
                begin = time.monotonic()
            else:
                print(f"# {line}", flush=True)
        if status in NOT_BEGUN:
            sys.exit(f"{self.version} {self.mode}: no test could begin: status {status}")
        if by_base:
            self.note(next(iter(by_base.values())), f"machine ended with {status}",
                      int(time.monotonic() - begin), "")

    def run(self, tests):
        for test in tests:
            if not os.path.exists(self.path(test)) and test not in self.kept.results:
                self.note(test, "not built", 0, "")
        while True:
            left = [test for test in tests if test not in self.kept.results]
            if not left:
                return self.kept.results
            self.batch(left[:BATCH])


def names(folder, pattern, version):
    """What the kernel's Makefile has, but for programs that only a script runs."""
    every = cache.read(os.path.join(folder, "names")).decode().split()
    every = [name for name in every if name + ".sh" not in every]
    return [name for name in every if re.search(pattern, f"{version} {name}")]


def expected(path):
    """(version, test): feature."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split(None, 2)
            if not words:
                continue
            if len(words) != 3:
                sys.exit(f"{path}:{number}: not VERSION TEST FEATURE")
            if tuple(words[:2]) in found:
                sys.exit(f"{path}:{number}: {words[0]} {words[1]} is there twice")
            found[tuple(words[:2])] = words[2].strip()
    return found


def judge(bare, beneath, feature):
    """A test's note, and what is wrong with it."""
    if bare[0] != PASS:
        note = f"bare: {bare[2] or bare[0]}"
        return note, feature and f"it does not pass bare, and the list names it: {feature}"
    if beneath[0] == PASS:
        return "", feature and f"it passes beneath, and the list names it: {feature}"
    return (feature, None) if feature else (f"beneath: {beneath[2] or beneath[0]}",
                                            f"it passes bare, and beneath: {beneath[0]} "
                                            f"({beneath[2]})")


def table(columns):
    """Rows of (version, {mode: results}, features), and by version and test what is wrong."""
    rows, wrong = [], {}
    for version, modes, features in columns:
        for test in modes["bare"]:
            bare, beneath = (modes[mode][test] for mode in MODES)
            note, problem = judge(bare, beneath, features.get((version, test)))
            rows.append((test, version, bare[0], beneath[0], note))
            wrong[version, test] = problem
    return rows, wrong


def write_table(rows, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write("| test | kernel | bare | beneath | note |\n|---|---|---|---|---|\n")
        for cells in rows:
            file.write("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
