"""@cuda: what the project uses of a CUDA toolkit; empty where there is none."""

_USUAL_PLACE = "/usr/local/cuda"

# The assembler of PTX, and the compiler, which finds its parts beside where the link points.
_TOOLS = ["ptxas", "nvcc"]

# Folders of a toolkit, or of a distribution's package, seen from the toolkit's own.
_INCLUDE = ["include", "targets/x86_64-linux/include", "targets/sbsa-linux/include"]
_LIBRARIES = ["lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"]

# That the compiler gets on with the machine's g++ and its headers.
_PROBE = """
#include <cmath>
#include <cstdint>
__global__ void Probe(float* x) { *x = sqrtf(*x); }
"""

def _print(message):
    print(message)  # buildifier: disable=print

def _find(ctx, tool):
    """Path of an installed tool, or None."""
    named = ctx.os.environ.get("CUDA_PATH", "")
    folder = named or _USUAL_PLACE
    path = ctx.path(folder + "/bin/" + tool) if folder.startswith("/") else None
    if path and path.exists:
        return path
    if not named:
        return ctx.which(tool)
    _print("CUDA_PATH=%s: no bin/%s in a folder by that absolute path: none is used" % (named, tool))
    return None

def _in_wheels(ctx, tool):
    """Path of a tool in the pinned wheels."""
    return ctx.path(Label("@pip_cuda//:site/marker")).dirname.get_child("nvidia").get_child("cu13").get_child("bin").get_child(tool)

def _first(ctx, name, folders):
    """Path of a file in the first of the folders that has it, or None."""
    for folder in folders:
        path = ctx.path(folder + "/" + name)
        if path.exists:
            return path
    return None

def _output(ctx, command, **kwargs):
    """What a command prints; None where it fails."""
    result = ctx.execute(command, **kwargs)
    return result.stdout if result.return_code == 0 else None

def _problem(ctx, nvcc):
    """Why this compiler cannot be used, or None."""
    ctx.file("probe.cu", _PROBE)
    result = ctx.execute([str(nvcc), "-std=c++17", "-c", "probe.cu", "-o", "probe.o"], environment = {"TMPDIR": "."})
    ctx.delete("probe.cu")
    ctx.delete("probe.o")
    if result.return_code == 0:
        return None
    lines = [line for line in (result.stdout + result.stderr).split("\n") if "error" in line or "fatal" in line]
    return lines[0] if lines else "it fails without a word"

def _describe(ctx, nvcc):
    """Links runtime and headers; what toolkit.bzl says, or None where the compiler cannot be used."""
    top = str(nvcc.realpath.dirname.dirname)
    header = _first(ctx, "cuda_runtime_api.h", [top + "/" + folder for folder in _INCLUDE] + ["/usr/include"])
    library = _first(ctx, "libcudart_static.a", [top + "/" + folder for folder in _LIBRARIES] +
                                                ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"])
    version = _output(ctx, [str(nvcc), "--version"])
    known = _output(ctx, [str(nvcc), "--list-gpu-arch"])
    if not header or not library or not version or not known:
        _print("%s: no toolkit beside it that is complete: nothing is compiled for GPUs" % nvcc)
        return None
    problem = _problem(ctx, nvcc)
    if problem:
        _print("%s does not work here, so nothing is compiled for GPUs: %s" % (nvcc, problem))
        return None
    if str(header.dirname) != "/usr/include":
        ctx.symlink(header.dirname, "include")
    ctx.symlink(library, "lib/libcudart_static.a")
    numbers = [int(line.replace("compute_", "")) for line in known.split("\n") if line[8:].isdigit()]
    return struct(
        version = version.split(", V")[1].split("\n")[0],
        architectures = sorted([number for number in numbers if number >= 75]),
    )

def _filegroup(name, files):
    return "\nfilegroup(\n    name = \"%s\",\n    srcs = %s,\n)\n" % (name, files)

_CUDART = """
cc_library(
    name = "cudart",
    srcs = ["lib/libcudart_static.a"],
    hdrs = glob([
        "include/*_api.h",
        "include/*_defines.h",
        "include/*_types.h",
        "include/crt/*.h",
    ], allow_empty = True),
    includes = ["include"],
    linkopts = [
        "-ldl",
        "-lpthread",
        "-lrt",
    ],
)
"""

def _cuda_toolkit_impl(ctx):
    tools = {tool: _find(ctx, tool) for tool in _TOOLS}
    if not tools["nvcc"] and ctx.os.environ.get("REPRO16_CUDA_WHEELS"):
        tools = {tool: _in_wheels(ctx, tool) for tool in _TOOLS}
    toolkit = None
    if tools["nvcc"]:
        toolkit = _describe(ctx, tools["nvcc"])
    else:
        _print("no CUDA toolkit: nothing is compiled for GPUs, and tests of that are left out; --config=cuda gets one")
    build = "package(default_visibility = [\"//visibility:public\"])\n"
    for tool in _TOOLS:
        if tools[tool]:
            ctx.symlink(tools[tool], "bin/" + tool)
        build += _filegroup(tool, ["bin/" + tool] if tools[tool] else [])
    ctx.file("BUILD", build + (_CUDART if toolkit else ""))
    ctx.file("toolkit.bzl", "\n".join([
        "\"\"\"The toolkit that kernels are compiled with: its version, \"\" for none; architectures it knows from Turing on.\"\"\"",
        "NVCC_VERSION = \"%s\"" % (toolkit.version if toolkit else ""),
        "NVCC_ARCHITECTURES = %s" % (toolkit.architectures if toolkit else []),
        "",
    ]))

_cuda_toolkit = repository_rule(
    implementation = _cuda_toolkit_impl,
    doc = "`:ptxas` and `:nvcc` are tools of the toolkit, or no file; `:cudart` is there where toolkit.bzl names a " +
          "version. The environment's CUDA_PATH names the toolkit's folder and is then the only place looked at; else " +
          "the usual place, else the PATH. Where there is none, REPRO16_CUDA_WHEELS gets the compiler in wheels.",
    environ = [
        "CUDA_PATH",
        "PATH",
        "REPRO16_CUDA_WHEELS",
    ],
    configure = True,
    local = True,
)

def cuda_repository():
    """@cuda."""
    _cuda_toolkit(name = "cuda")
