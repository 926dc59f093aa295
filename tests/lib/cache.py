# SPDX-License-Identifier: GPL-2.0-only
"""A cache of built files: each entry is named by a hash of what went into it."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile


class Failure(Exception):
    """Something that the user must read: what is wrong, and the cure."""


def directory():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(base, "underpin")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot create the cache {path}: {error.strerror}; "
                      "set XDG_CACHE_HOME to a writable directory")
    return path


def say(text):
    print(f"machine: {text}", file=sys.stderr, flush=True)


def hash_of(*parts):
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:16]


def read(path):
    with open(path, "rb") as file:
        return file.read()


@contextlib.contextmanager
def lock(name, waiting=None):
    """Holds an exclusive lock; says `waiting` when another one has it."""
    path = os.path.join(directory(), name + ".lock")
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                say(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def entry(kind, key, build, days=7):
    """The path of cache entry KIND-KEY, a directory; build(path) fills it.

    Entries of the kind that nobody used for some days are removed then.
    """
    path = os.path.join(directory(), f"{kind}-{key}")
    if os.path.isdir(path):
        os.utime(path)
        return path
    with lock(kind, f"waiting for another process that prepares '{kind}'"):
        if not os.path.isdir(path):
            temporary = tempfile.mkdtemp(prefix=f"new-{kind}-", dir=directory())
            try:
                build(temporary)
                os.chmod(temporary, 0o755)
                os.rename(temporary, path)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            prune(kind, path, days)
    return path


def prune(kind, keep, days):
    """Removes entries of a kind that nobody has used for some days."""
    oldest = os.stat(keep).st_mtime - days * 86400
    for name in os.listdir(directory()):
        path = os.path.join(directory(), name)
        if (name.startswith(kind + "-") and os.path.isdir(path)
                and os.stat(path).st_mtime < oldest):
            shutil.rmtree(path, ignore_errors=True)
