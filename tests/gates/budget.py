#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""budget.py BUDGET CLOC FILES: no folder of the root image outgrows its budget.

BUDGET (tests/gates/budget): a folder and its lines of code, a line; the last line
says the image's, and is their sum. CLOC is what `cloc --csv --by-file` says of the files
that FILES lists. Prints a table of both; a folder without a budget, or with
one that nothing uses, is an error."""

import csv
import os
import sys


def read_budget(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.split("#")[0].split() for line in file]
    rows = [row for row in rows if row]
    return {row[0]: int(row[1]) for row in rows}


def main():
    budget = read_budget(sys.argv[1])
    bound = budget.pop("image")
    with open(sys.argv[2], encoding="utf-8", newline="") as file:
        lines = {row[1]: int(row[4]) for row in csv.reader(file)
                 if len(row) > 4 and row[4].isdigit() and row[0] != "SUM"}
    with open(sys.argv[3], encoding="utf-8") as file:
        files = file.read().split()
    folders = dict.fromkeys(budget, 0)
    found = []
    for name in files:
        if name not in lines:
            found.append(f"{name}: was not counted")
        folder = os.path.dirname(name)
        folders[folder] = folders.get(folder, 0) + lines.get(name, 0)
    for folder, used in folders.items():
        print(f"# {used:6} of {budget.get(folder, 0):5}  {folder}/")
        if used > budget.get(folder, 0):
            found.append(f"{folder}: {used} lines, its budget is {budget.get(folder, 0)}")
        elif not used:
            found.append(f"{folder}: has a budget and no file")
    total = sum(folders.values())
    print(f"# {total:6} of {bound:5}  root image")
    rooms = sum(budget.values())
    if rooms != bound:
        found.append(f"the budgets' sum is {rooms}, the image's bound {bound}")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
