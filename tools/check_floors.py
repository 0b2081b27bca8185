#!/usr/bin/env python3
"""Fails if a source file includes one from a higher floor: data flows one way.

usage: check_floors.py
"""

import re
import sys

import source_tree

# The longest prefix of a path decides. A file may include from its own floor and from lower ones.
FLOORS = {
    "engine/numerics": 0,
    "engine/tensor": 0,
    "engine/io": 0,
    "engine/run": 0,  # messages only; they import nothing of ours
    "engine/graph": 1,
    "engine/cpu": 2,
    "engine/cuda": 2,
    "engine/training": 3,
    "engine/data": 3,
    "engine": 3,  # names the backends
    "models": 4,
    "analysis": 5,
    "programs": 5,  # join networks, data and a backend
    "reports": 6,
    "experiments": 7,
    "tests": 8,
    "benchmarks": 8,
    "tools": 8,
}

# A backend stands alone: what two of them need is on a floor below, and what is
# above knows it by its name.
BACKENDS = ("engine/cpu/", "engine/cuda/")
KNOWS_BACKENDS = ("engine/create_backend.cc", "engine/emulated_backend.cc")

_INCLUDE = re.compile(r'^\s*(?:#\s*include|import)\s+"([^"]+)"')


def floor(path):
    """The floor of a file of the project, or None if it is none of ours."""
    for parent in path.parents:
        if str(parent) in FLOORS:
            return FLOORS[str(parent)]
    return None


def _other_backend(path, included):
    """The backend that a file includes from and is no part of, or None."""
    for backend in BACKENDS:
        if included.startswith(backend) and not str(path).startswith(backend) and str(path) not in KNOWS_BACKENDS:
            return backend
    return None


def problems(path, text):
    """One line for each include of `path` that goes up, or into a backend."""
    result = []
    own = floor(path)
    if own is None:
        return ["%s: stands on no floor; name its folder in tools/check_floors.py" % path]
    for number, line in enumerate(text.split("\n"), 1):
        match = _INCLUDE.match(line)
        other = floor(type(path)(match.group(1))) if match else None
        if other is not None and other > own:
            result.append("%s:%d: floor %d includes %s of floor %d" % (path, number, own, match.group(1), other))
        elif match and _other_backend(path, match.group(1)):
            result.append("%s:%d: includes %s; only %s know the backends, and they share what stands below them" %
                          (path, number, match.group(1), " and ".join(KNOWS_BACKENDS)))
    return result


def main():
    found = []
    for path in source_tree.tracked_files(".cc", ".h", ".cu", ".proto"):
        found += problems(path, source_tree.read(path))
    return source_tree.report(found)


if __name__ == "__main__":
    sys.exit(main())
