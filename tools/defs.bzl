"""Tests of the tree as it stands on disk, rather than of targets; and Python in actions."""

# Python in the command of a genrule. It sees its own library alone: neither what the machine or the user has installed,
# nor what lies beside the script in the source tree.
PYTHON = "python3 -I -S -B"

def tree_test(name, script, **kwargs):
    """A test that runs a Python script of tools/ on every tracked file.

    The script finds the project behind the link to itself. What it reads is no input that Bazel knows,
    so the result is never taken from the cache and the test always runs on this machine.
    """
    native.sh_test(
        name = name,
        size = "small",
        srcs = [script],
        tags = [
            "external",
            "no-remote",
        ],
        **kwargs
    )

def _header_files_impl(ctx):
    headers = depset(transitive = [dep[CcInfo].compilation_context.headers for dep in ctx.attr.deps])
    return [DefaultInfo(files = headers, runfiles = ctx.runfiles(transitive_files = headers))]

header_files = rule(
    implementation = _header_files_impl,
    attrs = {"deps": attr.label_list(mandatory = True, providers = [CcInfo])},
    doc = "The headers of C++ libraries and of all that they depend on.",
)
