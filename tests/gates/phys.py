#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""phys.py [--directory TREE]: who makes a pointer of a physical address.

phys() takes any address. A host's must be checked and masked before, or a guess of the
processor's reads through it what the host may not know (Spectre v1), so that no more
than one function may do it. tests/gates/phys lists the others in the root image, each
with whose address it is: FILE FUNCTION WHOSE. A function that is not listed, or a row
that nobody needs, is an error."""

import argparse
import os
import re
import sys

LIST = "tests/gates/phys"
CALL = re.compile(r"(?<![\w*])phys\(")     # not where it is defined
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def functions(text):
    """(where its body begins, name) of each function."""
    for brace in re.finditer(r"^\{", text, re.M):
        head = re.split(r"[;}#]|\n\s*\n", text[:brace.start()])[-1]
        name = re.search(r"(\w+)\s*\(", head)
        if name:
            yield brace.start(), name.group(1)


def callers(tree):
    """Yields (path, function) of each that calls phys()."""
    for top in ("vmx", "ept", "iommu"):
        for folder, _, names in os.walk(os.path.join(tree, top)):
            for name in sorted(names):
                if not name.endswith((".c", ".h")):
                    continue
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
                heads = list(functions(text))
                for call in CALL.finditer(text):
                    within = [function for at, function in heads if at < call.start()]
                    function = within[-1] if within else "?"
                    if function != "phys":
                        yield os.path.relpath(path, tree), function


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", default=".", metavar="TREE")
    tree = parser.parse_args().directory
    with open(os.path.join(tree, LIST), encoding="utf-8") as file:
        rows = [line.split(None, 2) for line in file if line.strip() and line[0] != "#"]
    most = sum(int(row[1]) for row in rows if row[0] == "hosts")
    rows = [row for row in rows if row[0] != "hosts"]
    hosts = sum(row[-1].startswith("host's") for row in rows)
    allowed = {tuple(row[:2]) for row in rows if len(row) == 3}
    found = [f"{LIST}: {' '.join(row)}: whose address?" for row in rows if len(row) != 3]
    if hosts != most:
        found.append(f"{LIST}: {hosts} functions take an address of the host's, not {most}")
    true = set(callers(tree))
    found += [f"{path}: {function}() calls phys(): an address of the host's?"
              for path, function in sorted(true - allowed)]
    found += [f"{LIST}: {path} {function}: does not call phys(): take the line out"
              for path, function in sorted(allowed - true)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
