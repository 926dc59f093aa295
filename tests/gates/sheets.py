#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""sheets.py [--write]: docs/sheets.md is made from the schemas of policy sheets.

Each element and attribute of userspace/policy/sheets/schemas/ has a comment right before
it, which says what it means; the page has these, and what the schema allows. Without
--write it is compared, and what has no comment is named."""

import os
import sys
import xml.dom.minidom

SCHEMAS = "userspace/policy/sheets/schemas"
PAGE = "docs/sheets.md"
ORDER = ["users", "roles", "assignments", "permissions", "resources", "constraints", "slas"]
HEAD = """# Sheets: what may be in them

Made from `userspace/policy/sheets/schemas/` by `tests/gates/sheets.py --write`; a gate compares
it. What a policy base is, and how its sheets are read together, is in
[access-control.md](access-control.md#sheets). Each sheet's root element is in the namespace
`urn:underpin:policy:1`. Attributes in **bold** are needed.
"""
missing = []


def kids(node, *names):
    return [n for n in node.childNodes if n.nodeType == n.ELEMENT_NODE and
            (not names or n.localName in names)]


def meaning(node, of):
    """The comment right before a node."""
    at = node.previousSibling
    while at is not None and at.nodeType == at.TEXT_NODE:
        at = at.previousSibling
    if at is not None and at.nodeType == at.COMMENT_NODE:
        return " ".join(at.data.split())
    missing.append(f"{of}: {node.localName} '{node.getAttribute('name')}' has no comment")
    return ""


def values(simple):
    """What a type that has no name allows."""
    words = [e.getAttribute("value") for e in simple.getElementsByTagName("xs:enumeration")]
    return ", ".join(f"`{w}`" for w in words)


class Schemas:
    def __init__(self):
        self.types, self.groups, self.roots = {}, {}, {}
        for name in sorted(os.listdir(SCHEMAS)):
            top = xml.dom.minidom.parse(os.path.join(SCHEMAS, name)).documentElement
            for node in kids(top):
                if node.localName in ("complexType", "simpleType"):
                    self.types[node.getAttribute("name")] = (node, name)
                elif node.localName == "group":
                    self.groups[node.getAttribute("name")] = (node, name)
                elif node.localName == "element":
                    about = [n.data.strip() for n in top.parentNode.childNodes
                             if n.nodeType == n.COMMENT_NODE][-1]
                    self.roots[node.getAttribute("name")] = (node, name, about)

    def kind(self, node):
        """The complex type of an element, its own or one that has a name."""
        own = kids(node, "complexType")
        named = self.types.get(node.getAttribute("type").removeprefix("p:"))
        return own[0] if own else named[0]

    def value(self, attribute):
        own = kids(attribute, "simpleType")
        name = attribute.getAttribute("type").removeprefix("p:")
        if own:
            return values(own[0])
        if name == "xs:boolean":
            return "`true`, `false`"
        return values(self.types[name][0]) if name == "type" else f"[{name}](#values)"

    def attributes(self, kind, of):
        rows = ""
        for a in kids(kind, "attribute"):
            name = a.getAttribute("name")
            name = f"**{name}**" if a.getAttribute("use") == "required" else name
            text = "what it is called" if plain_name(a) else meaning(a, of)
            rows += f"| {name} | {self.value(a)} | {text} |\n"
        return f"\n| attribute | value | |\n|---|---|---|\n{rows}" if rows else ""

    def elements(self, kind):
        """Those directly in one of a kind; and is an expression in it?"""
        found, expression, todo = [], False, [kind]
        while todo:
            for node in kids(todo.pop(0), "sequence", "choice", "element", "group"):
                if node.localName == "element":
                    found.append(node)
                elif node.localName == "group":
                    expression = True
                else:
                    todo.append(node)
        return found, expression

    def section(self, node, path, of):
        kind = self.kind(node)
        inside, expression = self.elements(kind)
        text = f"\n### `{'` in `'.join(reversed(path))}`\n\n{meaning(node, of)}\n"
        text += self.attributes(kind, of)
        if expression:
            text += "\nIn it: an [expression](#expressions).\n"
        for child in inside:
            text += self.section(child, path + [child.getAttribute("name")], of)
        return text


def plain_name(a):
    """An attribute that says no more than what its element is called."""
    at = a.previousSibling
    while at is not None and at.nodeType == at.TEXT_NODE:
        at = at.previousSibling
    return a.getAttribute("name") == "name" and (at is None or at.nodeType != at.COMMENT_NODE)


def page():
    s, text = Schemas(), HEAD
    for root in ORDER:
        node, of, about = s.roots.pop(root)
        text += f"\n## `{root}`\n\n{about}\n{s.attributes(s.kind(node), of)}"
        for child in s.elements(s.kind(node))[0]:
            text += s.section(child, [child.getAttribute("name")], of)
    missing.extend(f"{root}: a sheet without a place in the page" for root in s.roots)
    group, of = s.groups["expression"]
    text += "\n## Expressions\n\nOne of these; `all`, `any` and `not` have others in them.\n\n"
    text += "| element | holds if | what is compared |\n|---|---|---|\n"
    for node in s.elements(group)[0]:
        kind = node.getAttribute("type").removeprefix("p:")
        parts = ", ".join(a.getAttribute("name") for a in kids(s.types[kind][0], "attribute"))
        text += f"| {node.getAttribute('name')} | {meaning(node, of)} | {parts} |\n"
    for kind in ("comparison", "holds"):
        text += f"\n### The attributes of a {kind}\n" + s.attributes(s.types[kind][0], of)
    text += "\n## Values\n\n| value | is |\n|---|---|\n"
    for name, (node, of) in sorted(s.types.items()):
        if node.localName == "simpleType" and name != "type":
            text += f"| {name} | {meaning(node, of)} |\n"
    return text


def main():
    text = page()
    for line in missing:
        print(line)
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    with open(PAGE, encoding="utf-8") as file:
        same = file.read() == text
    if not same:
        print(f"{PAGE} is not what the schemas say: {sys.argv[0]} --write")
    return int(bool(missing) or not same)


sys.exit(main())
