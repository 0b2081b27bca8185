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

# Arguments: nvcc, which finds its parts beside its real path; the object; what the assembler says; then for each
# architecture its number and its PTX, "--", and the compiler's arguments. Files in between are kept for their PTX, and
# because the names of temporary ones, which hold the process's number, would go into the object: the same source gives
# the same bytes. The version stands here so that another toolkit compiles anew.
_COMPILE = """set -euo pipefail
: {version}
nvcc=$(readlink -f "$1") object=$2 resources=$3; shift 3
TMPDIR=$(mktemp -d "${{TMPDIR:-/tmp}}/nvcc.XXXXXX"); export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
declare -A ptx
while [[ $1 != -- ]]; do ptx[$1]=$2; shift 2; done
shift
mkdir "$TMPDIR/kept"
"$nvcc" "$@" -c -o "$object" --keep --keep-dir "$TMPDIR/kept" -Xptxas=-v >"$TMPDIR/said" 2>&1 ||
  {{ cat "$TMPDIR/said" >&2; exit 1; }}
grep -v 'Compile time' "$TMPDIR/said" >"$resources" || true
for file in "$TMPDIR"/kept/*.ptx; do
  cp "$file" "${{ptx[$(sed -n 's/^[.]target sm_//p' "$file")]}}"
done
""".format(version = NVCC_VERSION)

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

# --- The rule and its macro

def _device_objects_impl(ctx):
    context = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps]).compilation_context
    numbers = ctx.attr._architectures[_Architectures].numbers
    objects, ptx, resources = [], [], []
    for src in ctx.files.srcs:
        base = "%s/%s" % (ctx.label.name, src.basename[:-len(".cc")])
        objects.append(ctx.actions.declare_file(base + ".o"))
        resources.append(ctx.actions.declare_file(base + ".resources"))
        ptx_of_src = [ctx.actions.declare_file("%s.%d.ptx" % (base, number)) for number in numbers]
        ptx += ptx_of_src
        arguments = ctx.actions.args()
        arguments.add_all([ctx.file._nvcc, objects[-1], resources[-1]])
        for number, file in zip(numbers, ptx_of_src):
            arguments.add_all([str(number), file])
        arguments.add("--")
        arguments.add_all(_NVCC_FLAGS + _code_flags(numbers))
        arguments.add_all(context.quote_includes, before_each = "-I")
        arguments.add_all(context.includes, before_each = "-I")
        arguments.add_all(context.system_includes, before_each = "-I")
        arguments.add(src)
        ctx.actions.run_shell(
            mnemonic = "Nvcc",
            progress_message = "Compiling %s for GPUs" % src.short_path,
            command = _COMPILE,
            arguments = [arguments],
            inputs = depset([src, ctx.file._nvcc], transitive = [context.headers]),
            outputs = [objects[-1], resources[-1]] + ptx_of_src,
            use_default_shell_env = True,
        )
    return [
        DefaultInfo(files = depset(objects)),
        OutputGroupInfo(ptx = depset(ptx), resources = depset(resources)),
    ]

_device_objects = rule(
    implementation = _device_objects_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".cc"], mandatory = True),
        "deps": attr.label_list(providers = [CcInfo]),
        "_architectures": attr.label(default = "//engine/cuda:architectures"),
        "_nvcc": attr.label(default = "@cuda//:nvcc", allow_single_file = True),
    },
    doc = "Objects with the kernels for every architecture of the flag, to be linked by the host's compiler. Of each " +
          "source also SOURCE.NUMBER.ptx, which the code of an architecture is made of (output group `ptx`), and " +
          "SOURCE.resources, what the assembler says of its registers (`resources`).",
)

def cuda_kernels(name, srcs, hdrs, deps = [], kernel_deps = []):
    """A family of kernels.

    Args:
      name: a cc_library of the headers alone: arguments and lists, for host code.
      srcs: the kernels. NAME_emulated is a library of them for tests. Where there is a CUDA compiler, NAME_device is one
        for GPUs, and NAME_ptx and NAME_resources are files about its code.
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
    objects = name + "_device_objects"
    _device_objects(
        name = objects,
        srcs = srcs,
        deps = kernel_deps,
    )
    native.cc_library(
        name = name + "_device",
        srcs = [":" + objects],
        linkstatic = True,
        deps = ["@cuda//:cudart"],
    )
    for group in ["ptx", "resources"]:
        native.filegroup(
            name = name + "_" + group,
            srcs = [":" + objects],
            output_group = group,
        )
