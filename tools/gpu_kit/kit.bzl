"""gpu_kit: one archive of programs that check, time and train where no Bazel is."""

load("//tools:defs.bzl", "PYTHON")

def _gpu_kit_impl(ctx):
    archive = ctx.actions.declare_file(ctx.label.name + ".tar.gz")
    if ctx.attr.missing:
        ctx.actions.run_shell(
            outputs = [archive],
            command = "echo '%s: %s' >&2; exit 1" % (ctx.label, ctx.attr.missing),
            mnemonic = "PackNoKit",
        )
        return [DefaultInfo(files = depset([archive]), runfiles = ctx.runfiles([archive]))]
    networks = ctx.actions.declare_file(ctx.label.name + "_networks")
    ctx.actions.write(networks, "".join([network + "\n" for network in ctx.attr.networks]))
    files = {"networks": networks}
    for target, name in ctx.attr.files.items():
        files[name] = target.files.to_list()[0]
    for target, name in ctx.attr.programs.items():
        files["bin/" + name] = target.files.to_list()[0]
    for target, name in ctx.attr.specs.items():
        files["specs/%s.textproto" % name] = target[OutputGroupInfo].spec.to_list()[0]
    args = ctx.actions.args()
    args.add(archive)
    for name in sorted(files):
        args.add(files[name], format = name + "=%s")
    ctx.actions.run_shell(
        inputs = files.values() + [ctx.file._pack],
        outputs = [archive],
        arguments = [args],
        command = "%s %s \"$@\"" % (PYTHON, ctx.file._pack.path),
        mnemonic = "PackKit",
        progress_message = "Packing %s" % ctx.label.name,
    )
    return [DefaultInfo(files = depset([archive]), runfiles = ctx.runfiles([archive]))]

gpu_kit = rule(
    implementation = _gpu_kit_impl,
    attrs = {
        "files": attr.label_keyed_string_dict(
            mandatory = True,
            allow_files = True,
            doc = "and their names in the archive",
        ),
        "missing": attr.string(doc = "why the archive cannot be made, if so"),
        "networks": attr.string_list(mandatory = True, doc = "whose steps are timed"),
        "programs": attr.label_keyed_string_dict(mandatory = True, doc = "and their names in bin/"),
        "specs": attr.label_keyed_string_dict(mandatory = True, doc = "train_run targets, and their names in specs/"),
        "_pack": attr.label(default = "//tools/gpu_kit:pack.py", allow_single_file = True),
    },
    doc = "NAME.tar.gz, the same bytes from the same files.",
)
