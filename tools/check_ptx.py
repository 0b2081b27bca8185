#!/usr/bin/env python3
"""Fails if PTX has an instruction that could give other bits than the host.

usage: check_ptx.py FILE.ptx...

Refused are results that are approximate, flushed to zero, rounded other than to nearest even, left to the assembler
to contract, or dependent on the order of threads; multiply-adds of 16-bit numbers, which the contract rounds twice; and
minima and maxima that are not a < b ? a : b of a NaN or of two zeros. The PTX is a compiler's: one instruction a statement.
"""

import pathlib
import re
import sys

_BITS = {"f16": 16, "f16x2": 16, "bf16": 16, "bf16x2": 16, "tf32": 19, "f32": 32, "f32x2": 32, "f64": 64}
_ROUNDED = {"add", "sub", "mul", "div", "sqrt", "rcp", "fma", "mad"}
_HALF = {"f16", "f16x2", "bf16", "bf16x2"}
_MATRIX = {"mma", "wmma", "wgmma", "tcgen05"}
_FUNCTION = re.compile(r"\.(?:entry|func)\s+(?:\(.*?\)\s*)?(\w+)")
_INSTRUCTION = re.compile(r"[\s{}]*(?:@!?%\w+\s+)?([a-z]\w*(?:\.[\w:]+)+)\s(.*)", re.DOTALL)
# The compiler makes a minimum or maximum of a < b ? a : b where b is a number that it knows.
_BOUND = re.compile(r",\s*0[fF]([0-9a-fA-F]{8})\s*$")
_WRONG_ZERO = {"min": "00000000", "max": "80000000"}


def objection(opcode, operands):
    """Why an instruction is refused, or None."""
    base, *modifiers = opcode.split(".")
    floats = [modifier for modifier in modifiers if modifier in _BITS]
    for modifier in ("approx", "ftz", "full"):
        if modifier in modifiers:
            return "." + modifier
    if base in _MATRIX:
        return "sums in an order of the hardware"
    if not floats:
        return None
    if base in ("atom", "red"):
        return "floats added in the order of the threads"
    if base in ("fma", "mad") and _HALF.intersection(floats):
        return "a product that is not rounded before it is added"
    if base in _WRONG_ZERO:
        bound = _BOUND.search(operands)
        if not bound or bound.group(1) == _WRONG_ZERO[base]:
            return "takes another operand than a < b ? a : b of a NaN or of two zeros"
    if base in _ROUNDED and "rn" not in modifiers:
        return "no .rn: contracted by the assembler, or rounded otherwise"
    if base == "cvt" and modifiers[-2] in _BITS and "rn" not in modifiers:
        if _BITS[modifiers[-2]] < _BITS.get(modifiers[-1], 99):  # an integer rounds too
            return "no .rn"
    return None


def problems(path, ptx):
    """One line for each refused instruction."""
    result, function = [], "?"
    for number, line in enumerate(ptx.split("\n"), 1):
        named = _FUNCTION.search(line)
        function = named.group(1) if named else function
        for statement in line.split("//")[0].split(";"):
            instruction = _INSTRUCTION.match(statement + " ")
            why = objection(*instruction.groups()) if instruction else None
            if why:
                result.append("%s:%d: %s in %s: %s" % (path, number, instruction.group(1), function, why))
    return result


def main(files):
    if not files:
        sys.exit("usage: check_ptx.py FILE.ptx...")
    found = []
    for path in files:
        ptx = pathlib.Path(path).read_text(encoding="utf-8")
        if ".version" not in ptx:
            found.append("%s: not PTX" % path)
        found += problems(path, ptx)
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
