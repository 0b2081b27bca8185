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
    "models": 4,
    "engine": 4,  # the trainer's main: links models and backends
    "analysis": 5,
    "reports": 6,
    "experiments": 7,
    "tests": 8,
    "benchmarks": 8,
    "tools": 8,
}

_INCLUDE = re.compile(r'^\s*(?:#\s*include|import)\s+"([^"]+)"')


def floor(path):
    """The floor of a file of the project, or None if it is none of ours."""
    for parent in path.parents:
        if str(parent) in FLOORS:
            return FLOORS[str(parent)]
    return None


def problems(path, text):
    """One line for each include of `path` that goes up."""
    result = []
    own = floor(path)
    if own is None:
        return ["%s: stands on no floor; name its folder in tools/check_floors.py" % path]
    for number, line in enumerate(text.split("\n"), 1):
        match = _INCLUDE.match(line)
        other = floor(type(path)(match.group(1))) if match else None
        if other is not None and other > own:
            result.append("%s:%d: floor %d includes %s of floor %d" % (path, number, own, match.group(1), other))
    return result


def main():
    found = []
    for path in source_tree.tracked_files(".cc", ".h", ".cu", ".proto"):
        found += problems(path, source_tree.read(path))
    return source_tree.report(found)


if __name__ == "__main__":
    sys.exit(main())
