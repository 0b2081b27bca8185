"""@cuda: what the project uses of an installed CUDA toolkit; empty where there is none."""

_USUAL_PLACE = "/usr/local/cuda"

def _find_ptxas(ctx):
    """Path of the assembler, or None."""
    named = ctx.os.environ.get("CUDA_PATH", "")
    folder = named or _USUAL_PLACE
    ptxas = ctx.path(folder + "/bin/ptxas") if folder.startswith("/") else None
    if ptxas and ptxas.exists:
        return ptxas
    if not named:
        return ctx.which("ptxas")
    print("CUDA_PATH=%s: no bin/ptxas in a folder by that absolute path: no CUDA toolkit is used" % named)  # buildifier: disable=print
    return None

def _cuda_toolkit_impl(ctx):
    ptxas = _find_ptxas(ctx)
    if ptxas:
        ctx.symlink(ptxas, "bin/ptxas")
    ctx.file("BUILD", """
filegroup(
    name = "ptxas",
    srcs = %s,
    visibility = ["//visibility:public"],
)
""" % (["bin/ptxas"] if ptxas else []))

_cuda_toolkit = repository_rule(
    implementation = _cuda_toolkit_impl,
    doc = "`:ptxas` is the toolkit's assembler of PTX, or no file. The environment's CUDA_PATH names the toolkit's " +
          "folder and is then the only place looked at; else the usual place, else the PATH.",
    environ = ["CUDA_PATH", "PATH"],
    configure = True,
    local = True,
)

def cuda_repository():
    """@cuda."""
    _cuda_toolkit(name = "cuda")
