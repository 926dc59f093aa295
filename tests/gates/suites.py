#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""suites.py [--write]: the table of suites in tests/README.md is that of their headers.

Each suite says in its first lines what it promises; the table repeats that, and what
the suite took when it last ran: tests/check notes it in build/check/times. With
--write the table is made anew; a suite that has not run here keeps its old time."""

import os
import re
import sys

SUITES = "tests/suites"
PAGE = "tests/README.md"
TIMES = "build/check/times"
HEADING = "| suite | promise | runs in | seconds |\n|---|---|---|---|\n"


def header(name):
    """What a suite's header says: promise, and where it runs."""
    with open(os.path.join(SUITES, name), encoding="utf-8") as file:
        head = file.read(4096)
    promise = re.search(r"Promise:\s*(.*?)(?=\n\s*#?\s*\n|\n[^#\s]|\"\"\"|\n#\s*\()", head + "\n\n", re.S)
    if not promise:
        sys.exit(f"{SUITES}/{name}: no promise in its first lines")
    text = " ".join(promise.group(1).replace("\n#", "\n").split())
    text = re.split(r"(?<=[a-z)])\.\s+(?=[A-Z])", text)[0].rstrip(".")
    check = re.search(r"check:(.*)", head).group(1)
    where = "the machine" if "machine" in check else "this one"
    return text.replace("|", "\\|"), where + (", `--all`" if "tier=long" in check else "")


def old_times(text):
    return dict(re.findall(r"^\| `([\w.-]+)` \|.*\| (\d*) \|$", text, re.M))


def table(times):
    rows = []
    for name in sorted(os.listdir(SUITES)):
        promise, where = header(name)
        rows.append(f"| `{name}` | {promise} | {where} | {times.get(name, '')} |\n")
    return HEADING + "".join(rows)


def main():
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    start = text.index(HEADING)
    end = text.index("\n\n", start) + 1 if "\n\n" in text[start:] else len(text)
    times = old_times(text[start:end])
    if sys.argv[1:] == ["--write"]:
        if os.path.exists(TIMES):
            with open(TIMES, encoding="utf-8") as file:
                times.update(line.split() for line in file)
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text[:start] + table(times) + text[end:])
        return 0
    if text[start:end] == table(times):
        return 0
    said, true = set(text[start:end].split("\n")), set(table(times).split("\n"))
    for line in sorted(said - true):
        print(f"{PAGE} has, and no suite says: {line}")
    for line in sorted(true - said):
        print(f"{PAGE} lacks: {line}")
    print(f"cure: {sys.argv[0]} --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
