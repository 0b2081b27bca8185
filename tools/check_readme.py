#!/usr/bin/env python3
"""Fails if README.md names a target that does not exist, in a command or in its text, or lacks the test command.

usage: check_readme.py README.md TARGETS

TARGETS is a file with the labels that do exist, one a line. The gate (.ci/run) runs the commands; a test
cannot, since they are Bazel's own.
"""

import pathlib
import re
import sys

import readme_commands
import source_tree

# What the gate takes its tests from.
_TEST_COMMAND = "./bazelw test //..."


_CODE = re.compile(r"`([^`\n]+)`")
_LABEL = re.compile(r"(?<![\w@:/])//[a-z][\w/]*(?::\w+)?")


def _full(label):
    """//a/b stands for //a/b:b."""
    return label if ":" in label else label + ":" + label.rsplit("/", 1)[1]


def problems(markdown, targets):
    """One line for each fault."""
    commands = readme_commands.commands(markdown)
    result = [] if _TEST_COMMAND in commands else ["no command %s" % _TEST_COMMAND]
    for command in commands:
        # What follows -- belongs to the program.
        for word in re.split(r"\s--\s", command)[0].split():
            if not word.startswith("//"):
                continue
            if word.endswith("..."):
                known = any(target.startswith(word[:-len("...")].rstrip("/")) for target in targets)
            else:
                known = _full(word) in targets
            if not known:
                result.append("%s: tests/BUILD knows no target %s" % (command, word))
    for code in _CODE.findall(markdown):
        for label in _LABEL.findall(code):
            if _full(label) not in targets:
                result.append("`%s`: tests/BUILD knows no target %s" % (code, label))
    return result


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: check_readme.py README.md TARGETS")
    markdown, targets = (pathlib.Path(name).read_text(encoding="utf-8") for name in arguments)
    return source_tree.report(problems(markdown, set(targets.split())))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
