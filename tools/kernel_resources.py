#!/usr/bin/env python3
"""The registers and the shared memory of kernels, as their compiler tells them, and how many run at once: a table, and
whether a committed table still says the same.

usage: kernel_resources.py --golden=TABLE [--write] FILE.ptx... FILE.resources...

A .resources file is what `ptxas -v` said of the kernels in a source. A table holds for one version of the compiler and
some architectures; with others nothing is compared, and a line says so. With --write, by `bazel run`, the table is
written into the project.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys

# Of a multiprocessor, by compute capability: threads, blocks, KiB of shared memory, KiB of it that a block takes for
# itself. All have 65536 registers, which a warp takes by 256. (CUDA C++ Programming Guide, compute capabilities.)
_LIMITS = {75: (1024, 16, 64, 0), 80: (2048, 32, 164, 1), 86: (1536, 16, 100, 1), 89: (1536, 24, 100, 1),
           90: (2048, 32, 228, 1), 100: (2048, 32, 228, 1), 120: (1536, 24, 100, 1)}

_VERSION = re.compile(r"Cuda compilation tools, release [\d.]+, V([\d.]+)")
_COMPILED = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'(.*?)Used (\d+) registers([^\n]*)", re.DOTALL)


def _last_number(pattern, text, otherwise=0):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else otherwise


def launches(ptx):
    """For each kernel of a PTX file its greatest number of threads, and the bytes of shared memory it is given."""
    result = {}
    starts = [(match.start(), match.group(1)) for match in re.finditer(r"\.entry (\w+)\(", ptx)]
    for (start, name), (end, _) in zip(starts, starts[1:] + [(len(ptx), "")]):
        body = ptx[start:end]
        result[name] = (_last_number(r"\.maxntid (\d+)", body, 1024), _last_number(r"// SharedMemory (\d+)", body))
    return result


def warps(architecture, threads, registers, shared):
    """How many warps of a multiprocessor can be resident, and how many it has room for."""
    room, blocks, shared_kib, own_kib = _LIMITS[architecture]
    of_block = -(-threads // 32)
    by_registers = 65536 // (-(-registers * 32 // 256) * 256) // of_block
    by_shared = (shared_kib << 10) // max(-(-(shared + (own_kib << 10)) // 128) * 128, 1)
    return min(blocks, room // 32 // of_block, by_registers, by_shared) * of_block, room // 32


def _demangled(names):
    listing = subprocess.run(["c++filt"], input="\n".join(names), stdout=subprocess.PIPE, check=True, text=True).stdout
    return dict(zip(names, listing.split("\n")))


def short(name):
    """A kernel's name with its template's arguments, without return type, namespaces and parameters."""
    depth, end = 0, len(name)
    for i, c in enumerate(name.replace("(anonymous namespace)", "{anonymous_namespace}")):
        depth += (c == "<") - (c == ">")
        if c == "(" and depth == 0:
            end = i
            break
    name = name[:end].replace("(anonymous namespace)::", "")
    return re.sub(r"^void |\brepro16::(on_device::)?", "", name)


def table(ptx_files, resource_files):
    """The table's lines, of {path: text}; the first one names the compiler and the architectures."""
    versions, of_launch = set(), {}
    for text in ptx_files.values():
        versions.update(_VERSION.findall(text))
        of_launch.update(launches(text))
    compiled = {}
    for path, text in resource_files.items():
        family = pathlib.PurePath(path).name.split(".")[0]
        for name, architecture, said, registers, used in _COMPILED.findall(text):
            spilled = sum(_last_number(r"(\d+) bytes spill " + what, said) for what in ("stores", "loads"))
            compiled.setdefault((family, name), {})[int(architecture)] = (
                int(registers), spilled, _last_number(r"(\d+) bytes smem", used))
    architectures = sorted({number for numbers in compiled.values() for number in numbers})
    names = _demangled(sorted({name for _, name in compiled}))
    rows = []
    for (family, name), by_architecture in compiled.items():
        threads, dynamic = of_launch[name]
        cells = []
        for architecture, (registers, spilled, static) in sorted(by_architecture.items()):
            if architecture in _LIMITS:
                resident = "%d/%d" % warps(architecture, threads, registers, static + dynamic)
                cells.append("%4d: %3d %5d %5s" % (architecture, registers, spilled, resident))
        shared = dynamic + max(static for _, _, static in by_architecture.values())
        rows.append("%-22s %4d %6d |%s  %s" % (family, threads, shared, " |".join(cells), short(names[name])))
    return ["# nvcc %s for %s" % (" and ".join(sorted(versions)), ", ".join(map(str, architectures)))] + sorted(rows)


_HEAD = """\
# What the kernels take of a GPU: file, threads of a block, bytes of shared memory; then for each architecture registers
# of a thread, bytes spilled (stored and loaded), and warps that a multiprocessor holds of those it has room for.
# Written by: bazel run //tests:kernel_resources_test -- --write
"""


def main(arguments):
    golden, write, files = None, False, {".ptx": {}, ".resources": {}}
    for argument in arguments:
        if argument.startswith("--golden="):
            golden = argument[len("--golden="):]
        elif argument == "--write":
            write = True
        else:
            files[pathlib.PurePath(argument).suffix][argument] = pathlib.Path(argument).read_text(encoding="utf-8")
    if not files[".ptx"]:
        print("left out: no CUDA toolkit, so no kernel was compiled")
        return 0
    found = table(files[".ptx"], files[".resources"])
    if write:
        path = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ""), golden)
        path.write_text(_HEAD + "\n".join(found) + "\n", encoding="utf-8")
        return 0
    held = pathlib.Path(golden).read_text(encoding="utf-8")[len(_HEAD):].split("\n")[:-1]
    if held[:1] != found[:1]:
        print("left out: %s is of %s, this is %s" % (golden, held[0].strip("# "), found[0].strip("# ")))
        return 0
    difference = list(difflib.unified_diff(held, found, golden, "as compiled", lineterm="", n=0))
    print("\n".join(difference))
    if difference:
        print("if that is meant: bazel run //tests:kernel_resources_test -- --write")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
