"""Kernels: one source, compiled for the emulator and, where there is a CUDA compiler, for GPUs."""

# The emulator's threads run one after the other; vectors of what one thread does make up for some of that. Processors
# without these instructions are refused anyway (engine/numerics/simd_target.h).
_EMULATED_COPTS = select({
    "@platforms//cpu:x86_64": ["-march=x86-64-v3"],
    "//conditions:default": [],
})

def cuda_kernels(name, srcs, hdrs, deps = [], kernel_deps = []):
    """A family of kernels.

    Args:
      name: a cc_library of the headers alone: arguments and lists, for host code.
      srcs: the kernels; NAME_emulated is a library of them for tests.
      hdrs: headers of the arguments.
      deps: what the headers include.
      kernel_deps: what the kernels include besides simt.
    """
    native.cc_library(
        name = name,
        hdrs = hdrs,
        deps = deps + ["//engine/cuda/simt:stream"],
    )
    native.cc_library(
        name = name + "_emulated",
        testonly = True,
        srcs = srcs,
        copts = _EMULATED_COPTS,
        deps = deps + kernel_deps + [":" + name, "//engine/cuda/simt"],
    )
