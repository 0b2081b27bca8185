"""Kernels: one source, compiled for the emulator and, where there is a CUDA compiler, for GPUs."""

load("@cuda//:toolkit.bzl", "NVCC_ARCHITECTURES", "NVCC_VERSION")

# The emulator's threads run one after the other; vectors of what one thread does make up for some of that. Processors
# without these instructions are refused anyway (engine/numerics/simd_target.h).
_EMULATED_COPTS = select({
    "@platforms//cpu:x86_64": ["-march=x86-64-v3"],
    "//conditions:default": [],
})

# Whether there is a CUDA compiler. Without one NAME_device and what needs it are no targets.
HAS_NVCC = bool(NVCC_VERSION)

# Every operation rounds once, to nearest even, and keeps subnormals.
_NVCC_FLAGS = [
    "-x",
    "cu",
    "-std=c++17",
    "-O3",
    "-fmad=false",
    "-ftz=false",
    "-prec-div=true",
    "-prec-sqrt=true",
    "-Werror",
    "all-warnings",
    "-Xcompiler=-ffp-contract=off,-fPIC",
]

# Arguments: nvcc, which finds its parts beside its real path; the output; another one of the script or ""; the compiler's.
# Temporary files have the same names in every action. The version stands here so that another toolkit compiles anew.
_SETUP = """set -eu
: {version}
nvcc=$(readlink -f "$1") out=$2 resources=$3; shift 3
TMPDIR=$(mktemp -d "${{TMPDIR:-/tmp}}/nvcc.XXXXXX"); export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
""".format(version = NVCC_VERSION)

# Without the names of temporary files, which hold the process's number: the same source gives the same bytes.
_COMPILE = _SETUP + """
"$nvcc" "$@" -c -t 2 -o "$out"
strip --strip-unneeded "$out"
"""

# PTX, and what its assembler says of the code it makes of it.
_COMPILE_PTX = _SETUP + """
"$nvcc" "$@" -ptx -o "$out"
"${nvcc%/*}/ptxas" -v "-arch=$(sed -n 's/^[.]target //p' "$out")" "$out" -o "$TMPDIR/code" 2>"$resources"
"""

# --- The flag //engine/cuda:architectures

_Architectures = provider(
    doc = "Compute capabilities that device code is made for.",
    fields = {"numbers": "As integers, from the least on: 75 is 7.5."},
)

def _architectures_impl(ctx):
    words = [word for word in ctx.build_setting_value.split(",") if word]
    for word in words:
        if HAS_NVCC and (not word.isdigit() or int(word) not in NVCC_ARCHITECTURES):
            fail("--%s=%s: '%s' is none that nvcc %s knows: %s" % (
                ctx.label,
                ctx.build_setting_value,
                word,
                NVCC_VERSION,
                ", ".join([str(number) for number in NVCC_ARCHITECTURES]),
            ))
    if not words:
        fail("--%s: empty" % ctx.label)
    return [_Architectures(numbers = sorted([int(word) for word in words if HAS_NVCC]))]

architectures_flag = rule(
    implementation = _architectures_impl,
    build_setting = config.string(flag = True),
    doc = "Compute capabilities without the dot, with commas between.",
)

def _bool_flag_impl(_ctx):
    return []

bool_flag = rule(
    implementation = _bool_flag_impl,
    build_setting = config.bool(flag = True),
    doc = "A flag that is on or off.",
)

# PTX of this one or an earlier one runs on every later GPU.
_NEWEST_PTX = 90

def _code_flags(numbers):
    """Flags for code of each architecture, and for PTX that later ones understand."""
    portable = ([number for number in numbers if number <= _NEWEST_PTX] or numbers[:1])[-1]
    flags = []
    for number in numbers:
        code = "[sm_%d,compute_%d]" % (number, number) if number == portable else "sm_%d" % number
        flags += ["-gencode", "arch=compute_%d,code=%s" % (number, code)]
    return flags

# --- Rules

_COMPILED = {
    "srcs": attr.label_list(allow_files = [".cc"], mandatory = True),
    "deps": attr.label_list(providers = [CcInfo]),
    "_nvcc": attr.label(default = "@cuda//:nvcc", allow_single_file = True),
}

def _run_nvcc(ctx, command, src, flags, out, resources = None):
    """An action that compiles one file."""
    context = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps]).compilation_context
    arguments = ctx.actions.args()
    arguments.add(ctx.file._nvcc)
    arguments.add(out)
    arguments.add(resources or "")
    arguments.add_all(_NVCC_FLAGS + flags)
    arguments.add_all(context.quote_includes, before_each = "-I")
    arguments.add_all(context.includes, before_each = "-I")
    arguments.add_all(context.system_includes, before_each = "-I")
    arguments.add(src)
    ctx.actions.run_shell(
        mnemonic = "Nvcc",
        progress_message = "Compiling %s for GPUs" % src.short_path,
        command = command,
        arguments = [arguments],
        inputs = depset([src, ctx.file._nvcc], transitive = [context.headers]),
        outputs = [out, resources] if resources else [out],
        use_default_shell_env = True,
    )

def _declare(ctx, src, ending):
    """An output for one of the sources."""
    return ctx.actions.declare_file("%s/%s%s" % (ctx.label.name, src.basename[:-len(".cc")], ending))

def _device_objects_impl(ctx):
    flags = _code_flags(ctx.attr._architectures[_Architectures].numbers)
    outs = []
    for src in ctx.files.srcs:
        out = _declare(ctx, src, ".o")
        _run_nvcc(ctx, _COMPILE, src, flags, out)
        outs.append(out)
    return [DefaultInfo(files = depset(outs))]

_device_objects = rule(
    implementation = _device_objects_impl,
    attrs = dict(
        _COMPILED,
        _architectures = attr.label(default = "//engine/cuda:architectures"),
    ),
    doc = "Objects with the kernels for every architecture of the flag, to be linked by the host's compiler.",
)

def _device_ptx_impl(ctx):
    outs = []
    for src in ctx.files.srcs:
        for number in ctx.attr.architectures:
            ptx = _declare(ctx, src, ".%d.ptx" % number)
            resources = _declare(ctx, src, ".%d.resources" % number)
            _run_nvcc(ctx, _COMPILE_PTX, src, ["-arch=compute_%d" % number], ptx, resources)
            outs += [ptx, resources]
    return [DefaultInfo(files = depset(outs))]

_device_ptx = rule(
    implementation = _device_ptx_impl,
    attrs = dict(
        _COMPILED,
        architectures = attr.int_list(mandatory = True),
    ),
    doc = "For each architecture the kernels' PTX, FILE.NUMBER.ptx, and what ptxas -v says of it, FILE.NUMBER.resources.",
)

# Whose PTX is looked at: the oldest and the newest, and those that the table of resources has.
RESOURCE_ARCHITECTURES = [75, 90]
_PTX_ARCHITECTURES = [
    number
    for number in NVCC_ARCHITECTURES
    if number in RESOURCE_ARCHITECTURES + [NVCC_ARCHITECTURES[0], NVCC_ARCHITECTURES[-1]]
]

def cuda_kernels(name, srcs, hdrs, deps = [], kernel_deps = []):
    """A family of kernels.

    Args:
      name: a cc_library of the headers alone: arguments and lists, for host code.
      srcs: the kernels. NAME_emulated is a library of them for tests. Where there is a CUDA compiler,
        NAME_device is one for GPUs, and NAME_ptx is files about its code.
      hdrs: headers of the arguments.
      deps: what the headers include.
      kernel_deps: what the kernels include besides simt.
    """
    native.cc_library(
        name = name,
        hdrs = hdrs,
        deps = deps + ["//engine/cuda/simt:stream"],
    )
    kernel_deps = deps + kernel_deps + [":" + name, "//engine/cuda/simt"]
    native.cc_library(
        name = name + "_emulated",
        testonly = True,
        srcs = srcs,
        copts = _EMULATED_COPTS,
        deps = kernel_deps + ["//engine/cuda/simt:emulator"],
    )
    if not HAS_NVCC:
        return
    _device_objects(
        name = name + "_device_objects",
        srcs = srcs,
        deps = kernel_deps,
    )
    native.cc_library(
        name = name + "_device",
        srcs = [":" + name + "_device_objects"],
        linkstatic = True,
        deps = ["@cuda//:cudart"],
    )
    _device_ptx(
        name = name + "_ptx",
        testonly = True,
        srcs = srcs,
        architectures = _PTX_ARCHITECTURES,
        deps = kernel_deps,
    )
