#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""floors.py [--directory TREE] [FILE]: nothing points up.

FILE (tests/gates/floors) lists houses, each from the ground up. What it says:

  house NAME OBJECTS SOURCES   a house: its objects lie below OBJECTS as its
                               sources do below SOURCES
  covers PATH...               each source in these has a floor
  search PATH...               where its quoted #include lines look, beside the
                               folder of the file that includes
  PATH...                      a floor: folders, or files (ept/pool.*); what a
                               longer path names is not its folder's
  cycle PATH PATH REASON       files that refer to each other on purpose
  outside PATH... may PATH...  what other folders may include of this house; the
                               longest PATH that names a folder counts

A file refers only to its own floor and lower ones: by #include, and by the
symbols that its object uses. Within a floor, too, no files refer to each other
in a ring, but for those that a 'cycle' line names; a line that names nothing is
an error, as is a file without a floor."""

import argparse
import fnmatch
import os
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SOURCE = (".c", ".h", ".S", ".lds")


class House:
    """One house of the list: its floors, and what may be as it is."""

    def __init__(self, name, objects, sources):
        self.name, self.objects, self.sources = name, objects, sources
        self.covers, self.search, self.floors = [], [], []
        self.cycles, self.outside = [], []


def read_list(path):
    houses = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "house" and len(words) == 4:
                houses.append(House(*words[1:]))
            elif not houses or words[0] == "house":
                sys.exit(f"{path}:{number}: a list begins with 'house NAME OBJECTS SOURCES'")
            elif words[0] in ("covers", "search"):
                getattr(houses[-1], words[0]).extend(words[1:])
            elif words[0] == "cycle" and len(words) > 3:
                houses[-1].cycles.append(words[1:3])
            elif words[0] == "outside" and "may" in words:
                at = words.index("may")
                houses[-1].outside.append((words[1:at], words[at + 1:]))
            else:
                houses[-1].floors.append(words)
    return houses


def within(path, pattern):
    """How long a pattern names this file, or -1."""
    folder = pattern.rstrip("/")
    if path.startswith(folder + "/") or fnmatch.fnmatchcase(path, pattern):
        return len(pattern)
    return -1


def sources(tree, roots):
    for root in roots:
        if os.path.isfile(os.path.join(tree, root)):
            yield root
        for folder, folders, files in os.walk(os.path.join(tree, root)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if name.endswith(SOURCE):
                    yield os.path.relpath(os.path.join(folder, name), tree)


def included(tree, path, search):
    """The files of the tree that a file includes."""
    with open(os.path.join(tree, path), encoding="utf-8") as file:
        names = INCLUDE.findall(file.read())
    for name in names:
        for folder in [os.path.dirname(path), *search]:
            found = os.path.normpath(os.path.join(folder, name))
            if os.path.isfile(os.path.join(tree, found)):
                yield found
                break


def object_symbols(path):
    """What an object defines, and what it uses of others."""
    defines, uses = set(), set()
    lines = subprocess.run(["nm", "-g", path], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    for line in lines:
        kind, name = line.split()[-2:]
        (uses if kind in "Uwv" else defines).add(name)
    return defines, uses


def symbol_uses(tree, house, floor_of):
    """(user, definer) -> symbol, by source."""
    defines, uses = {}, {}
    for path in floor_of:
        stem, ending = os.path.splitext(path)
        if ending not in (".c", ".S"):
            continue
        inner = os.path.relpath(stem, house.sources)
        at = os.path.join(tree, house.objects, inner + ".o")
        if not os.path.exists(at):
            yield None, path, at
            continue
        own, uses[path] = object_symbols(at)
        defines.update({name: path for name in own})
    for path, names in uses.items():
        for name in sorted(names):
            if defines.get(name, path) != path:
                yield path, defines[name], name


def reached(edges, start):
    seen, todo = set(), [start]
    while todo:
        for path in edges.get(todo.pop(), ()):
            if path not in seen:
                seen.add(path)
                todo.append(path)
    return seen


def rings(edges, allowed):
    """Pairs of files that reach each other, and permitted ones that do not."""
    edges = {user: set(used) for user, used in edges.items()}
    for one, other in allowed:
        both = other in edges.get(one, ()) and one in edges.get(other, ())
        if not both:
            yield f"cycle {one} {other}: they do not refer to each other: take the line out"
        edges.get(other, set()).discard(one)
    reach = {path: reached(edges, path) for path in edges}
    for path in sorted(reach):
        if path in reach[path]:
            ring = sorted(other for other in reach[path] if path in reach.get(other, ()))
            if path == ring[0]:
                yield "a ring of references: " + " ".join(ring)


def check_house(tree, house):
    named, floor_of = set(), {}
    for path in sources(tree, house.covers):
        length, level, pattern = max((within(path, pattern), level, pattern)
                                     for level, floor in enumerate(house.floors)
                                     for pattern in floor)
        if length < 0:
            yield f"{path}: has no floor"
        else:
            floor_of[path] = level
            named.add(pattern)
    for pattern in sum(house.floors, []):
        if pattern not in named:
            yield f"{pattern}: no such file or folder, or all of it has another floor"

    def up(user, used):
        return floor_of[user] < floor_of.get(used, -1)

    def floor(path):
        return " ".join(house.floors[floor_of[path]])

    includes, uses = {}, {}
    for path in sorted(floor_of):
        for used in included(tree, path, house.search):
            if used in floor_of:
                includes.setdefault(path, set()).add(used)
            if up(path, used):
                yield f"{path}: includes {used}, and {floor(used)} stands above {floor(path)}"
    for user, used, name in symbol_uses(tree, house, floor_of):
        if user is None:
            yield f"{used}: no object {os.path.relpath(name, tree)}: build first"
            continue
        uses.setdefault(user, set()).add(used)
        if up(user, used):
            yield f"{user}: uses {name} of {used}, and {floor(used)} stands above {floor(user)}"
    yield from rings(includes, [])
    yield from rings(uses, house.cycles)
    yield from check_outside(tree, house, floor_of)


def check_outside(tree, house, floor_of):
    rules = [(folder, may) for folders, may in house.outside for folder in folders]
    for path in sources(tree, [folder for folder, _ in rules if "/" not in folder]):
        length, may = max((within(path, folder), may) for folder, may in rules)
        if path in floor_of or length < 0:
            continue
        for used in included(tree, path, house.search + [""]):
            if used in floor_of and not any(within(used, other) >= 0 for other in may):
                yield (f"{path}: includes {used} of {house.name}: "
                       f"from outside only {' '.join(may)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", default=".", metavar="TREE")
    parser.add_argument("--house", help="only this one")
    parser.add_argument("file", nargs="?", default="tests/gates/floors")
    arguments = parser.parse_args()
    houses = read_list(os.path.join(arguments.directory, arguments.file))
    if arguments.house:
        houses = [house for house in houses if house.name == arguments.house]
    if not houses:
        sys.exit(f"{arguments.file}: no such house")
    found = [line for house in houses for line in check_house(arguments.directory, house)]
    print("\n".join(found) if found else "nothing points up")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
