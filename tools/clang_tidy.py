#!/usr/bin/env python3
"""Runs clang-tidy on the C++ files of targets, with the flags that Bazel compiles them with.

usage: tools/clang_tidy.py [TARGET...]      (default //...)

Builds the targets first, so that generated headers exist; that is why no target of Bazel runs it.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import source_tree

_BAZELW = str(source_tree.ROOT / "bazelw")
_OURS = "(analysis|benchmarks|engine|experiments|models|reports|tests|tools)/"


def _bazel(*arguments):
    """The output of a Bazel command; ends the program if it fails."""
    reply = subprocess.run([_BAZELW, *arguments], cwd=source_tree.ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if reply.returncode:
        sys.exit("clang_tidy.py: bazel %s failed" % arguments[0])
    return reply.stdout


def _database(targets, folder):
    """One entry for each of our source files that a target compiles."""
    actions = json.loads(_bazel("aquery", "--config=clang", "--output=jsonproto",
                                'mnemonic("CppCompile", %s)' % targets))["actions"]
    entries = {}
    for action in actions:
        arguments = action["arguments"]
        source = arguments[arguments.index("-c") + 1]
        if not source.startswith(("external/", "bazel-out/")):
            entries.setdefault(source, {"directory": folder, "file": source, "arguments": arguments})
    return entries


def main(arguments):
    targets = arguments or ["//..."]
    _bazel("build", "--config=clang", *targets)
    folder = _bazel("info", "execution_root").strip()
    entries = _database(" + ".join(targets), folder)
    with tempfile.TemporaryDirectory() as database:
        pathlib.Path(database, "compile_commands.json").write_text(json.dumps(list(entries.values())))
        command = ["clang-tidy", "--quiet", "-p", database, "--header-filter=^(.*/execroot/[^/]*/)?" + _OURS,
                   "--config-file=%s" % (source_tree.ROOT / ".clang-tidy")]

        def tidy(source):
            return subprocess.run([*command, source], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False)

        failed = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for source, reply in zip(entries, pool.map(tidy, entries)):
                if reply.returncode:
                    failed.append(source)
                    print(reply.stdout)
    print("clang-tidy: %d files, %d with findings" % (len(entries), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
