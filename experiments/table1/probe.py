"""Asks ptxas, the assembler of a CUDA toolkit, which types each GPU architecture has instructions for.

For every target and type a minimal PTX kernel with that type's instruction is assembled; what is accepted exists. No
GPU is needed. The answers go to a file of text form, see support.proto; without ptxas it says that nothing was asked.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

# Architecture and target. The targets that end in "a" have the instructions that are not promised to later chips.
TARGETS = (
    ("Turing", "sm_75"),
    ("Ampere", "sm_80"),
    ("Ampere", "sm_86"),
    ("Ada Lovelace", "sm_89"),
    ("Hopper", "sm_90"),
    ("Hopper", "sm_90a"),
    ("Blackwell", "sm_100"),
    ("Blackwell", "sm_100a"),
    ("Blackwell", "sm_120"),
    ("Blackwell", "sm_120a"),
)

# Versions of PTX, newest first. All instructions below are known to the newest; an older toolkit knows fewer.
PTX_VERSIONS = ("9.0", "8.8", "8.7", "8.6", "8.5", "8.4", "8.3", "8.2", "8.1", "8.0", "7.8", "7.5", "7.1", "7.0", "6.3")

Probe = collections.namedtuple("Probe", "core type instruction body")

# A kernel around an instruction. Registers: h 16, r 32 and d 64 bits; f FP32, v FP64. Inputs have index 0 and come from
# memory, and all results go there, so that nothing is computed or dropped by the assembler.
KERNEL = """.version %s
.target %s
.address_size 64
.visible .entry kernel(.param .u64 memory) {
.reg .b16 %%h<2>; .reg .b32 %%r<3>; .reg .b64 %%d<2>; .reg .f32 %%f<5>; .reg .f64 %%v<3>; .reg .pred %%p;
ld.param.u64 %%d1, [memory];
ld.global.b16 %%h0, [%%d1]; ld.global.b32 %%r0, [%%d1]; ld.global.b64 %%d0, [%%d1];
ld.global.f32 %%f0, [%%d1]; ld.global.f64 %%v0, [%%d1]; setp.eq.b32 %%p, %%r0, 0;
%s
st.volatile.global.b16 [%%d1], %%h1; st.volatile.global.v2.b32 [%%d1], {%%r1, %%r2};
st.volatile.global.v4.f32 [%%d1], {%%f1, %%f2, %%f3, %%f4}; st.volatile.global.v2.f64 [%%d1], {%%v1, %%v2};
ret;
}
"""


def fma(type_name, instruction, register):
    """A multiply-add of the CUDA cores: one number a thread."""
    return Probe("CUDA", type_name, instruction, "%s %%%s1, %%%s0, %%%s0, %%%s0;" % ((instruction,) + (register,) * 4))


def mma(type_name, instruction, a, b, c, d):
    """A multiply-add of matrices D = A B + C; the operands are a thread's registers of each."""
    opcode, shape, types = instruction.split(" ")
    return Probe("TENSOR", type_name, instruction,
                 "%s.aligned.%s.row.col.%s {%s}, {%s}, {%s}, {%s};" % (opcode, shape, types, d, a, b, c))


def mma_to_fp32(type_name, instruction, registers_a, registers_b):
    return mma(type_name, instruction, ", ".join(["%r0"] * registers_a), ", ".join(["%r0"] * registers_b),
               "%f0, %f0, %f0, %f0", "%f1, %f2, %f3, %f4")


def wgmma(type_name, shape_and_types):
    """The same of Hopper's tensor cores, by four warps, on shared memory that descriptors name."""
    return Probe("TENSOR", type_name, "wgmma.mma_async " + shape_and_types,
                 "wgmma.mma_async.sync.aligned.%s {%%f1, %%f2, %%f3, %%f4}, %%d0, %%d0, %%p, 1, 1;" %
                 shape_and_types.replace(" ", "."))


def tcgen05(type_name, kind, scales=""):
    """The same of Blackwell's, on tensor memory; descriptors that are read at run time give shape and exact types."""
    instruction = "tcgen05.mma kind::" + kind
    return Probe("TENSOR", type_name, instruction,
                 "tcgen05.mma.cta_group::1.kind::%s [%%r0], %%d0, %%d0, %%r0, %s%%p;" % (kind, scales))


# `mma.sync` is the oldest way to the tensor cores, and the only one of most chips. For FP8 and less, Hopper and sm_100
# have their own.
PROBES = (
    fma("FP16", "fma.rn.f16", "h"),
    fma("FP32", "fma.rn.f32", "f"),
    fma("FP64", "fma.rn.f64", "v"),
    fma("bfloat16", "fma.rn.bf16", "h"),
    mma("FP16", "mma.sync m16n8k8 f16.f16.f16.f16", "%r0, %r0", "%r0", "%r0, %r0", "%r1, %r2"),
    mma("FP64", "mma.sync m8n8k4 f64.f64.f64.f64", "%v0", "%v0", "%v0, %v0", "%v1, %v2"),
    mma_to_fp32("bfloat16", "mma.sync m16n8k8 f32.bf16.bf16.f32", 2, 1),
    mma_to_fp32("TF32", "mma.sync m16n8k4 f32.tf32.tf32.f32", 2, 1),
    mma_to_fp32("FP8", "mma.sync m16n8k32 f32.e4m3.e4m3.f32", 4, 2),
    wgmma("FP8", "m64n8k32 f32.e4m3.e4m3"),
    tcgen05("FP8", "f8f6f4"),
    mma_to_fp32("FP6", "mma.sync m16n8k32 kind::f8f6f4.f32.e3m2.e3m2.f32", 4, 2),
    tcgen05("FP6", "f8f6f4"),
    mma_to_fp32("FP4", "mma.sync m16n8k32 kind::f8f6f4.f32.e2m1.e2m1.f32", 4, 2),
    tcgen05("FP4", "mxf4.block_scale", "[%r0], [%r0], "),
)

NONSENSE = "fma.rn.f13 %f1, %f0, %f0, %f0;"  # what accepts it, accepts anything


class Assembler:
    """ptxas, and a folder for its files."""

    def __init__(self, path, folder):
        self.path = os.path.abspath(path)
        self.source = os.path.join(folder, "kernel.ptx")
        self.output = os.path.join(folder, "kernel.cubin")

    def version(self):
        """E.g. "ptxas 13.0.88"."""
        result = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=True)
        found = re.search(r"\bV(\d+(\.\d+)+)", result.stdout)
        if not found:
            raise ValueError("--version names no version; give the ptxas of a CUDA toolkit")
        return "ptxas " + found.group(1)

    def refusal(self, target, ptx_version, body):
        """Why a kernel with `body` is refused, in a line; None where it is accepted."""
        with open(self.source, "w", encoding="ascii") as file:
            file.write(KERNEL % (ptx_version, target, body))
        result = subprocess.run([self.path, "--gpu-name=" + target, self.source, "--output-file=" + self.output],
                                capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return None
        if result.returncode < 0:
            raise ValueError("ended by signal %d for %s: %s" % (-result.returncode, target, body))
        # "ptxas FILE, line 9; error   : Feature ...": without file and line, the same on every machine.
        reasons = re.findall(r"(?:error|fatal)\s*:\s*(.*)", result.stderr)
        return reasons[0].strip() if reasons else "refused without a reason"

    def ptx_version(self, target):
        """The newest version of PTX in which an empty kernel is accepted; "" where the target is not known."""
        for version in PTX_VERSIONS:
            if self.refusal(target, version, "") is None:
                return version
        return ""


def text(value):
    """A string of protobuf's text form."""
    return json.dumps(value)


def ask(assembler):
    """All answers as lines of the text form of Support."""
    lines = ["toolkit: " + text(assembler.version())]
    versions = {target: assembler.ptx_version(target) for _, target in TARGETS}
    for architecture, target in TARGETS:
        nonsense = versions[target] and assembler.refusal(target, versions[target], NONSENSE) is None
        lines.append("targets { name: %s architecture: %s ptx_version: %s accepts_nonsense: %s }" %
                     (text(target), text(architecture), text(versions[target]), "true" if nonsense else "false"))
    for probe in PROBES:
        lines.append("probes {\n  core: %s\n  type: %s\n  instruction: %s" %
                     (probe.core, text(probe.type), text(probe.instruction)))
        for _, target in TARGETS:
            if not versions[target]:
                continue
            refusal = assembler.refusal(target, versions[target], probe.body)
            answer = "accepted: true" if refusal is None else "message: " + text(refusal)
            lines.append("  answers { target: %s %s }" % (text(target), answer))
        lines.append("}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptxas", nargs="?", help="the assembler; none: nothing is asked")
    parser.add_argument("--out", required=True, help="where the answers go (Support, text form)")
    args = parser.parse_args()
    lines = ["# proto-file: experiments/table1/support.proto", "# proto-message: repro16.Support"]
    if args.ptxas:
        try:
            with tempfile.TemporaryDirectory() as folder:
                lines += ask(Assembler(args.ptxas, folder))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            print("error: %s: %s" % (args.ptxas, error), file=sys.stderr)
            return 2
    with open(args.out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
