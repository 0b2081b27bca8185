"""Python wheels, pinned by hash, from the package index that the machine's pip is configured for."""

def _pip_wheels_impl(ctx):
    result = ctx.execute([
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--no-compile",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--target",
        "site",
        "--requirement",
        str(ctx.path(ctx.attr.requirements)),
    ], timeout = 600)
    if result.return_code:
        errors = [line for line in result.stderr.split("\n") if line.startswith("ERROR: ")]
        fail("%s: pip could not install the wheels; is python3-pip installed and its index in reach? %s" %
             (ctx.attr.requirements, "; ".join(errors) or result.stderr))

    # `marker` lies in the folder that goes on PYTHONPATH: an action finds the folder by the file's path.
    ctx.file("site/marker")
    ctx.file("BUILD", """
exports_files(["site/marker"])

filegroup(
    name = "site",
    srcs = glob(["site/**"], exclude = ["site/**/* *"]),
    visibility = ["//visibility:public"],
)
""")

pip_wheels = repository_rule(
    implementation = _pip_wheels_impl,
    doc = "Installs the wheels of a requirements file. The repository's name must not be that of a Python package " +
          "in it: Bazel's runfiles folder would shadow the package.",
    attrs = {
        "requirements": attr.label(
            allow_single_file = True,
            mandatory = True,
            doc = "Every line carries --hash=sha256:...",
        ),
    },
)
