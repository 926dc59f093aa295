#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""page.py FILE.html               what a page consists of, a line a fact
page.py FILE.png RRGGBB...      how many pixels of a picture have these colours, a line each"""

import html.parser
import struct
import sys
import zlib


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.links = set(), set(), set()
        self.table, self.row, self.cell, self.rows, self.title = "", None, None, [], ""
        self.inside = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.inside.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "action", "data") or "url(" in (value or ""):
                self.links.add(value)
        if tag == "table":
            self.table = dict(attrs).get("id", "")
        elif tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.inside.pop()

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.row is not None:
            self.row.append(self.cell)
            self.cell = None
        elif tag == "tr":
            self.rows.append((self.table, self.row))
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        if self.inside[-1:] == ["title"] and "svg" not in self.inside:
            self.title += data


def facts(path):
    page = Page()
    with open(path, encoding="utf-8") as f:
        page.feed(f.read())
    print("title", page.title)
    print("tags", *sorted(page.tags))
    print("attributes", *sorted(page.attributes))
    for link in sorted(page.links):
        print("link", link)
    for table, row in page.rows:
        print("row", table + ":", "|".join(row))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def unfilter(kind, line, above, size):
    for i, byte in enumerate(line):
        left = line[i - size] if i >= size else 0
        corner = above[i - size] if i >= size else 0
        line[i] = (byte + (0, left, above[i], (left + above[i]) // 2,
                           paeth(left, above[i], corner))[kind]) & 255


def pixels(path, colours):
    """PNG, 8 bits a sample, RGB or RGBA, not interlaced, which is what Chromium writes."""
    with open(path, "rb") as f:
        data = f.read()
    at, packed = 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, _, depth, form, _, _, lace = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
            assert depth == 8 and form in (2, 6) and not lace
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + n]
        at += 12 + n
    size = 3 if form == 2 else 4
    raw, stride, above = zlib.decompress(packed), width * size, bytearray(width * size)
    count = [0] * len(colours)
    for y in range(0, len(raw), stride + 1):
        line = bytearray(raw[y + 1:y + 1 + stride])
        if raw[y]:
            unfilter(raw[y], line, above, size)
        pixel = [bytes(line[x:x + 3]) for x in range(0, stride, size)]
        count = [n + pixel.count(colour) for n, colour in zip(count, colours)]
        above = line
    return count


if len(sys.argv) > 2:
    print(*pixels(sys.argv[1], [bytes.fromhex(c) for c in sys.argv[2:]]), sep="\n")
else:
    facts(sys.argv[1])
