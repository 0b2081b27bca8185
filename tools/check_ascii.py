#!/usr/bin/env python3
"""Fails if a text of the project has a character that engine/io/ascii.cc has no ASCII for.

usage: check_ascii.py

Every tracked source counts, since any may hold what is printed; tests, whose texts are printed by no program, do not.
"""

import pathlib
import re
import sys

import source_tree

_TABLE = pathlib.PurePosixPath("engine/io/ascii.cc")
_SUFFIXES = (".bzl", ".cc", ".h", ".proto", ".py", ".sh", ".textproto", ".tpl")
_ENTRY = re.compile(r'^    \{"([^"]+)", "((?:[^"\\]|\\.)*)"\},', re.MULTILINE)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")


def _unescaped(text):
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)


def table(source):
    """The characters that the table knows, with what they become."""
    return {_unescaped(character): ascii_text for character, ascii_text in _ENTRY.findall(source)}


def table_problems(known):
    """One line for each entry that is no single character or becomes none of ASCII."""
    return ["%s: %r becomes %r" % (_TABLE, character, ascii_text) for character, ascii_text in known.items()
            if len(character) != 1 or ord(character) < 128 or not ascii_text or not ascii_text.isascii()]


def problems(path, text, known):
    """One line for each line with an unknown character."""
    result = []
    for number, line in enumerate(text.split("\n"), 1):
        unknown = sorted({c for c in _unescaped(line) if ord(c) > 127 and c not in known})
        if unknown:
            result.append("%s:%d: %s: no ASCII in %s" % (path, number, " ".join(unknown), _TABLE))
    return result


def main():
    known = table(source_tree.read(_TABLE))
    if not known:
        sys.exit("%s: no table of characters" % _TABLE)
    found = table_problems(known)
    for path in source_tree.tracked_files(*_SUFFIXES):
        if not path.stem.endswith("_test"):
            found += problems(path, source_tree.read(path), known)
    return source_tree.report(found)


if __name__ == "__main__":
    sys.exit(main())
