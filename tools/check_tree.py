#!/usr/bin/env python3
"""Fails if a tracked file holds what does not belong in the project, or is too long.

usage: check_tree.py
"""

import re
import sys

import source_tree

# Written so that no pattern matches itself.
_FORBIDDEN = [
    (r"deb\.debian\.org|snapshot\.debian\.org|pypi\.org|python[h]osted|registry\.npmjs|proxy\.golang\.org",
     "a package registry's host: take it from the machine's own configuration"),
    (r"(?<![\w.])/(work|root)/|/tmp/(bash_jobs|ob_)|(?<![\w.])/home/\w", "a path of one machine"),
    (r"\b(TOD[O]|FIXM[E]|XX[X])\b|\bsession (is|was|will)\b", "a note about work in progress"),
    (r"[ \t]+$", "blanks at the end of the line"),
]
_MAX_LINES = 600
_LIMITED_SUFFIXES = (".cc", ".h", ".cu", ".bzl", ".py")


def problems(path, text):
    """One line for each fault of a file."""
    result = []
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, fault in _FORBIDDEN:
            if re.search(pattern, line):
                result.append("%s:%d: %s" % (path, number, fault))
    if path.suffix in _LIMITED_SUFFIXES and text.count("\n") > _MAX_LINES:
        result.append("%s: %d lines; split what is over %d" % (path, text.count("\n"), _MAX_LINES))
    if text and not text.endswith("\n"):
        result.append("%s: no newline at the end" % path)
    return result


def main():
    found = []
    for path in source_tree.tracked_files():
        text = source_tree.read(path)
        if text is not None:
            found += problems(path, text)
    return source_tree.report(found)


if __name__ == "__main__":
    sys.exit(main())
