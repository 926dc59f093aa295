#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""mutate.py TABLE NUMBER: each line of the table is taken out of userspace/policy/tool/, once, and the
test of tests/suites/policy-never that is named must fail then; TAP from NUMBER on, without a plan.

The table's form is that of tests/mutations/root."""

import os
import re
import subprocess
import sys

FOLDER = "userspace/policy/tool"
OUT = "build/policy/mutant"


def rows(path):
    with open(path, encoding="utf-8") as file:
        blocks = re.split(r"^\[(.*)\]\n", file.read(), flags=re.M)[1:]
    for title, text in zip(blocks[::2], blocks[1::2]):
        columns = re.split(r"^(file|was|is|fails)\t", text.rstrip("\n"), flags=re.M)[1:]
        yield title, {k: v.rstrip("\n") for k, v in zip(columns[::2], columns[1::2])}


def build(row):
    """Return: what is wrong, or nothing."""
    with open(os.path.join(FOLDER, row["file"]), encoding="utf-8") as file:
        text = file.read()
    if text.count(row["was"]) != 1:
        return f"its line is there {text.count(row['was'])} times"
    source = f"{OUT}/{row['file']}"
    with open(source, "w", encoding="utf-8") as file:
        file.write(text.replace(row["was"], row["is"]))
    done = subprocess.run(["make", "-s", "-f", "userspace/policy/policy.mk", f"{OUT}/underpin-policy",
                           f"MUTANT={source}"], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def missed(row):
    """Return: what is wrong, or nothing if the test fails as it should."""
    problem = build(row)
    if problem:
        return problem
    env = dict(os.environ, NEVER=f"{OUT}/underpin-policy", ONLY=row["fails"])
    out = subprocess.run(["tests/suites/policy-never"], capture_output=True, text=True, env=env,
                         check=False).stdout
    if f"not ok 1 - {row['fails']}\n" in out:
        return ""
    return f"'{row['fails']}' does not fail:\n{out}"


def main():
    failed = 0
    os.makedirs(OUT, exist_ok=True)
    for n, (title, row) in enumerate(rows(sys.argv[1]), int(sys.argv[2])):
        problem = missed(row)
        failed += bool(problem)
        print(f"{'not ok' if problem else 'ok'} {n} - without: {title}", flush=True)
        for line in problem.splitlines()[:10]:
            print("#", line)
    return failed != 0


sys.exit(main())
