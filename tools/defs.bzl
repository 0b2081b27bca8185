"""Tests of the tree as it stands on disk, rather than of targets."""

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
