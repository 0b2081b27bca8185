"""@cuda: what the project uses of an installed CUDA toolkit; empty where there is none."""

_USUAL_PLACE = "/usr/local/cuda"

# The assembler of PTX, and the compiler, which finds its parts beside where the link points.
_TOOLS = ["ptxas", "nvcc"]

def _find(ctx, tool):
    """Path of the tool, or None."""
    named = ctx.os.environ.get("CUDA_PATH", "")
    folder = named or _USUAL_PLACE
    path = ctx.path(folder + "/bin/" + tool) if folder.startswith("/") else None
    if path and path.exists:
        return path
    if not named:
        return ctx.which(tool)
    print("CUDA_PATH=%s: no bin/%s in a folder by that absolute path: none is used" % (named, tool))  # buildifier: disable=print
    return None

def _cuda_toolkit_impl(ctx):
    build = "package(default_visibility = [\"//visibility:public\"])\n"
    for tool in _TOOLS:
        path = _find(ctx, tool)
        if path:
            ctx.symlink(path, "bin/" + tool)
        build += "\nfilegroup(\n    name = \"%s\",\n    srcs = %s,\n)\n" % (tool, ["bin/" + tool] if path else [])
    ctx.file("BUILD", build)

_cuda_toolkit = repository_rule(
    implementation = _cuda_toolkit_impl,
    doc = "`:ptxas` and `:nvcc` are tools of the toolkit, or no file. The environment's CUDA_PATH names the toolkit's " +
          "folder and is then the only place looked at; else the usual place, else the PATH.",
    environ = ["CUDA_PATH", "PATH"],
    configure = True,
    local = True,
)

def cuda_repository():
    """@cuda."""
    _cuda_toolkit(name = "cuda")
