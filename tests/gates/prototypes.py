#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""prototypes.py HEADER...: names each prototype that no comment speaks of.

A prototype is spoken of by a comment above it, or by one in or above its group:
the lines before it up to an empty one."""

import re
import sys

OPENS = re.compile(r"\b(\w+)\s*\(")


def silent(path):
    """Yields (line number, name)."""
    spoken, depth, comment = False, 0, False
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if comment or line.lstrip().startswith("/*"):
            comment = "*/" not in line
            spoken = True
            continue
        if not line.strip():
            spoken = False
            continue
        if line.startswith("#"):
            while line.endswith("\\"):
                line = lines[number]
                number += 1
            if not line.startswith("#define"):
                spoken = False
            continue
        first = number
        at_top = depth == 0
        depth += line.count("{") - line.count("}")
        if not at_top or not re.match(r"[A-Za-z_]", line):
            continue
        if re.match(r"(typedef|static|union|enum)\b", line) or "(" not in line:
            continue
        while ";" not in line and "{" not in line and number < len(lines):
            line += " " + lines[number].strip()
            number += 1
        if "{" in line.split(";")[0]:
            depth += line.count("{") - line.count("}") - (lines[first - 1].count("{")
                                                          - lines[first - 1].count("}"))
            continue
        name = OPENS.search(re.sub(r"__\w+\([^()]*\)", "", line))
        if "/*" in line:
            spoken = True
        if name and not spoken:
            yield first, name.group(1)


def main():
    found = 0
    for path in sys.argv[1:]:
        for number, name in silent(path):
            print(f"{path}:{number}: {name}() has no comment")
            found = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
