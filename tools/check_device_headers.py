#!/usr/bin/env python3
"""Fails if a header that a GPU's compiler takes too leaves what device code may do.

usage: check_device_headers.py HEADER...

Each of the headers includes only the others and a few of the standard library's, keeps no state, and neither
allocates nor throws (engine/numerics/host_device.h).
"""

import pathlib
import re
import sys

_STANDARD = {"cmath", "cstddef", "cstdint", "cstring", "limits", "type_traits"}
_INCLUDE = re.compile(r'^\s*#\s*include\s+(?:<([^>]+)>|"([^"]+)")')
_FORBIDDEN = [
    (r"\bstatic\b(?!\s+constexpr\b)|\bthread_local\b", "state"),
    (r"\b(?:new|delete|malloc|free)\b", "an allocation"),
    (r"\b(?:throw|try|catch)\b", "an exception"),
]


def problems(path, text, headers):
    """One line for each fault of `path`; `headers` are all headers of its kind."""
    result = []
    for number, line in enumerate(text.split("\n"), 1):
        code = line.split("//")[0]
        include = _INCLUDE.match(code)
        if include and include.group(1) and include.group(1) not in _STANDARD:
            result.append("%s:%d: <%s>: only %s" % (path, number, include.group(1), ", ".join(sorted(_STANDARD))))
        if include and include.group(2) and include.group(2) not in headers:
            result.append("%s:%d: %s is no header for device code" % (path, number, include.group(2)))
        for pattern, fault in [] if include else _FORBIDDEN:
            if re.search(pattern, code):
                result.append("%s:%d: %s in device code" % (path, number, fault))
    return result


def main(headers):
    if not headers:
        sys.exit("usage: check_device_headers.py HEADER...")
    found = []
    for path in headers:
        found += problems(path, pathlib.Path(path).read_text(encoding="utf-8"), set(headers))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
