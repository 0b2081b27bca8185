"""moving_average_study: one training, evaluated with many ways of averaging, as a build action."""

def _study_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".textproto")
    args = ctx.actions.args()
    args.add(ctx.file.spec, format = "--spec=%s")
    if ctx.files.data:
        args.add("--data_dir=" + ctx.files.data[0].dirname)
    args.add(out, format = "--out=%s")
    args.add("--threads=1")
    ctx.actions.run(
        executable = ctx.executable._study,
        arguments = [args],
        inputs = [ctx.file.spec] + ctx.files.data,
        outputs = [out],
        mnemonic = "Train",
        progress_message = "Training %s" % ctx.label.name,
    )
    return [DefaultInfo(files = depset([out]))]

moving_average_study = rule(
    implementation = _study_impl,
    attrs = {
        "data": attr.label_list(allow_files = True, doc = "the data set's files, in one folder"),
        "spec": attr.label(mandatory = True, allow_single_file = [".textproto"], doc = "RunSpec, text form"),
        # In the target configuration, as the trainer of train_run.
        "_study": attr.label(default = "//programs:study_moving_averages", executable = True, cfg = "target"),
    },
    doc = "NAME.textproto, a MovingAverageStudy (programs/moving_average_study.proto).",
)
