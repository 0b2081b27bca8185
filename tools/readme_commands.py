#!/usr/bin/env python3
"""Prints the commands of README.md, one a line: the lines of its code blocks marked `sh`.

usage: readme_commands.py README.md

Comments and empty lines are left out; a line that ends in a backslash goes on in the next.
"""

import pathlib
import re
import sys

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(markdown):
    """The commands, in order."""
    result = []
    for block in _BLOCK.findall(markdown):
        for line in block.replace("\\\n", "").split("\n"):
            command = re.sub(r"(^|\s)#.*", "", line).strip()
            if command:
                result.append(command)
    return result


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: readme_commands.py README.md")
    found = commands(pathlib.Path(arguments[0]).read_text(encoding="utf-8"))
    if not found:
        sys.exit("%s: no code block marked sh" % arguments[0])
    print("\n".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
