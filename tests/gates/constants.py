#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""constants.py [--directory TREE]: the architecture's constants have one name each.

In the root image's sources (vmx/, ept/, iommu/):
  a constant of the architecture, by its prefix and being a number, is defined in
  one header; what is made of such constants, anywhere;
  no two names of a prefix have the same value, but where a comment beside the
  second says so: "also NAME";
  a row of an MSR table, and RDMSR and WRMSR, name their MSR: no number."""

import argparse
import os
import re
import sys

HOME = "vmx/base/x86.h"
PREFIX = r"(?:MSR|CR0|CR3|CR4|DR6|DR7|EFER|XCR0|RFLAGS|PF|VEC|ARCH|APIC_BASE|FEATURE_CONTROL)"
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+((" + PREFIX + r")_\w+)[ \t]+"
                    r"((?:[^\n]*\\\n)*[^\n]*?)[ \t]*(/\*.*)?$", re.M)
ENUM = re.compile(r"^[ \t]+((" + PREFIX + r")_\w+)[ \t]*=[ \t]*([^,\n]+?)[ \t]*,[ \t]*(/\*.*)?$", re.M)
# What is made of constants that have names, and what is no constant of the architecture's.
MADE = re.compile(PREFIX + r"_\w")
NOT_ONES = re.compile(r"MSR_(?:LIST|BITMAP|ENTRY|ROW)|\w+_(?:SHOWN|OFFERED|ALLOWED|NEVER)$")
ROW = re.compile(r"^[ \t]*(?:\{|[A-Z][A-Z_]*\()[ \t]*(0x[0-9a-fA-F]+|\d{2,})\b", re.M)
ACCESS = re.compile(r"\b(?:rdmsr|wrmsr)\w*\([ \t]*(0x[0-9a-fA-F]+|\d+)\b")


def sources(tree):
    for top in ("vmx", "ept", "iommu"):
        for folder, _, names in os.walk(os.path.join(tree, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".S")):
                    yield os.path.relpath(os.path.join(folder, name), tree)


def line(text, at):
    return text.count("\n", 0, at) + 1


def check(tree):
    names = {}
    for path in sorted(sources(tree)):
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            text = file.read()
        defined = list(DEFINE.finditer(text)) + list(ENUM.finditer(text))
        for match in defined:
            name, prefix, value, comment = match.groups()
            if MADE.search(value) or NOT_ONES.match(name):
                continue
            where = f"{path}:{line(text, match.start())}: {name}"
            if path != HOME:
                yield f"{where}: the architecture's constants are defined in {HOME}"
            other = names.setdefault((prefix, value), name)
            if other != name and f"also {other}" not in (comment or ""):
                yield f"{where}: {other} has the same value"
        if "msr" in os.path.basename(path):
            for match in ROW.finditer(text):
                yield f"{path}:{line(text, match.start(1))}: {match.group(1)}: a row names its MSR"
        for match in ACCESS.finditer(text):
            yield f"{path}:{line(text, match.start())}: MSR {match.group(1)}: has it no name?"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", default=".", metavar="TREE")
    found = list(check(parser.parse_args().directory))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
