#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""references.py [--directory TREE]: what comments and pages name exists.

In each comment of the tree's sources, and in all of its pages:
  a path, or a file's name     is that of a file here: from the top, from where it
                               is named, or the end of one (gates/floors.py)
  function()                   is a name in somebody's code here, so a function of
                               ours or one that is called
  S1.4                         has a row in docs/requirements.md
  a link in a page             has its page and heading
  the design and its section   are no page: name the one that has it
What is named and is not here stands in tests/gates/references.known, with a reason."""

import argparse
import fnmatch
import os
import re
import subprocess
import sys

PLACES = ["vmx", "ept", "iommu", "module", "ioctl", "userspace", "tests", "docs", "README.md",
          "CONTRIBUTING.md", "Makefile", "Kbuild"]
KNOWN = "tests/gates/references.known"
NUMBERS = "docs/requirements.md"

C_SOURCE = (".c", ".h", ".S", ".lds", ".pml", ".xsd")
PAGE = (".md", ".1", ".5", ".8")
NO_TEXT = (".xml", ".table", ".list", ".json")
# A C file's strings, then its comments: one may hold what looks like the other.
C_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|/\*.*?\*/|//[^\n]*|<!--.*?-->', re.S)
HASH_COMMENT = re.compile(r"^\s*#.*|\s#\s.*", re.M)

ENDINGS = r"(?:c|h|S|mk|py|sh|lds|md|pml|xsd|conf|service|sample|bash|cjs|list|ignore|known)"
FILE = re.compile(r"(?<![\w/.<~*-])((?:[\w*.-]+/)*[\w*-]+(?:\.[\w*]+)*\." + ENDINGS + r")(?![\w/])")
# A path without such an ending, if it begins with a folder of the top.
FOLDERS = r"(?:vmx|ept|iommu|module|ioctl|userspace|tests|docs)"
PATH = re.compile(r"(?<![\w/.<-])(" + FOLDERS + r"(?:/[\w*-]+(?:\.[\w*-]+)*)+)")
FUNCTION = re.compile(r"(?<![\w>.-])([A-Za-z_]\w+)\(\)")
NUMBER = re.compile(r"\b(S[12]\.\d+)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
DESIGN = re.compile(r"\bdesign,?\s+(?:\*\s+)?(?:section\s+)?\d", re.S)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def files(tree):
    """Every file that belongs to the project or is about to."""
    names = subprocess.run(["git", "-C", tree, "ls-files", "-co", "--exclude-standard"],
                           check=False, text=True, stdout=subprocess.PIPE).stdout.split("\n")
    if not any(names):
        names = [os.path.relpath(os.path.join(folder, name), tree)
                 for folder, _, found in os.walk(tree) for name in found]
    return sorted(name for name in set(names) if os.path.isfile(os.path.join(tree, name)))


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def split(path, text):
    """A file's (code, prose): each keeps the lines of the other as empty ones."""
    if path.endswith(PAGE):
        return "", text
    if path.endswith(C_SOURCE):
        def is_prose(match):
            return match.group()[:2] in ("/*", "//", "<!")
        code = C_TOKEN.sub(lambda m: blank(m) if is_prose(m) else m.group(), text)
        prose, at = [], 0
        for match in C_TOKEN.finditer(text):
            gap = text[at:match.start()]
            prose.append("\n" * gap.count("\n"))
            prose.append(match.group() if is_prose(match) else blank(match))
            at = match.end()
        return code, "".join(prose)
    code = HASH_COMMENT.sub(blank, text)
    prose = "\n".join(" ".join(HASH_COMMENT.findall(line)) for line in text.split("\n"))
    if path.endswith(".py") or text.startswith("#!/usr/bin/env python3"):
        first = re.search(r'"""(.*?)"""', text, re.S)
        if first:
            prose = text[:first.end()].replace("#!/usr", "") + prose[first.end():]
    return code, prose


class Tree:
    """The files, what they define, and what else may be named."""

    def __init__(self, top):
        self.top = top
        self.files = files(top)
        self.names = set(self.files) | {os.path.basename(name) for name in self.files}
        for name in self.files:
            while "/" in name:
                name = os.path.dirname(name)
                self.names.add(name)
        self.parts = {name: split(name, read(os.path.join(top, name)))
                      for name in self.files if self.is_read(name)}
        self.words = set()
        for name, (code, _) in self.parts.items():
            if name != KNOWN:
                self.words.update(re.findall(r"[A-Za-z_]\w+", code))
        numbers = self.parts.get(NUMBERS, ("", ""))[1]
        self.numbers = set(re.findall(r"^\| (S\d\.\d+) ", numbers, re.M))
        self.known = {}
        for line in read(os.path.join(top, KNOWN)).split("\n"):
            words = line.split(None, 1)
            if words and not words[0].startswith("#"):
                self.known[words[0]] = words[1] if len(words) > 1 else ""
        self.used = set()

    @staticmethod
    def is_read(name):
        return (any(name == place or name.startswith(place + "/") for place in PLACES)
                and not name.endswith(NO_TEXT))

    def is_known(self, name):
        if name in self.known:
            self.used.add(name)
        return name in self.known

    def has_path(self, name, of):
        """Is it a file or folder here, as named by the file OF?"""
        name = name.rstrip("/")
        near = os.path.normpath(os.path.join(os.path.dirname(of), name))
        if name in self.names or near in self.names or name.startswith("build/"):
            return True
        if "*" in name:
            return any(fnmatch.fnmatch(other, name) or fnmatch.fnmatch(other, "*/" + name)
                       for other in self.names)
        if any(other.endswith("/" + name) for other in self.names):
            return True
        return self.is_known(name)

    def has_link(self, target, of):
        page, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            return True
        path = os.path.normpath(os.path.join(os.path.dirname(of), page)) if page else of
        if path not in self.names:
            return False
        anchors = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
                   for line in read(os.path.join(self.top, path)).split("\n")
                   if line.startswith("#")} if heading else ()
        return not heading or heading in anchors

    def faults(self, path):
        """Yields (line, what) of one file."""
        prose = self.parts[path][1]
        for match in DESIGN.finditer(prose):
            yield prose.count("\n", 0, match.start()) + 1, "the design is no page of docs/"
        for number, line in enumerate(prose.split("\n"), 1):
            if path.endswith(".md"):
                for target in LINK.findall(line):
                    if not self.has_link(target, path):
                        yield number, f"{target}: no such page or heading"
                line = LINK.sub("]", line)
            for name in sorted({*FILE.findall(line), *PATH.findall(line)}):
                if not self.has_path(name, path):
                    yield number, f"{name}: no such file"
            for name in FUNCTION.findall(line):
                if name not in self.words and not self.is_known(name):
                    yield number, f"{name}(): nobody's code has it"
            for name in NUMBER.findall(line):
                if name not in self.numbers:
                    yield number, f"{name}: no row in {NUMBERS}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", default=".", metavar="TREE")
    tree = Tree(parser.parse_args().directory)
    found = 0
    for path in sorted(tree.parts):
        for number, what in tree.faults(path):
            print(f"{path}:{number}: {what}")
            found += 1
    for name in sorted(set(tree.known) - tree.used):
        print(f"{KNOWN}: {name}: nobody names it, or it is here: take the line out")
        found += 1
    for name in sorted(name for name, why in tree.known.items() if not why):
        print(f"{KNOWN}: {name}: no reason given")
        found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
