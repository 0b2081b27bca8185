#!/usr/bin/env python3
"""Checks the layout of every tracked C++ file with clang-format, or puts it right.

usage: format.py MARKER [--fix]

MARKER is a file in the folder where pip installed clang-format.
"""

import pathlib
import subprocess
import sys

import source_tree

_PROGRAM = "clang_format/data/bin/clang-format"


def main(arguments):
    if not arguments or arguments[1:] not in ([], ["--fix"]):
        sys.exit("usage: format.py MARKER [--fix]")
    program = pathlib.Path(arguments[0]).absolute().parent / _PROGRAM
    mode = ["-i"] if arguments[1:] else ["--dry-run", "-Werror"]
    files = [str(path) for path in source_tree.tracked_files(".cc", ".h", ".cu")]
    if not files:
        return 0
    status = subprocess.run([program, "--style=file", *mode, *files], cwd=source_tree.ROOT, check=False).returncode
    if status:
        print("to put it right: ./bazelw run //tools:format")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
