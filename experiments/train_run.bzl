"""train_run: a training run as a build action.

A run is cached by its specification, its data and the trainer; an experiment goes on where it was interrupted, and
the actions of many runs spread over the processors, or over a cluster with remote execution.
"""

RunInfo = provider(
    doc = "What a training run left behind.",
    fields = {
        "name": "name of the run's target",
        "result": "File: RunResult, a pure function of specification, data and engine",
        "probabilities": "File: safetensors, the test set's probabilities and labels",
        "telemetry": "File: RunTelemetry, which depends on the machine",
    },
)

def _train_run_impl(ctx):
    folder = ctx.label.name + "/"
    spec = ctx.actions.declare_file(folder + "spec.textproto")
    ctx.actions.write(spec, ctx.attr.spec)
    info = RunInfo(
        name = ctx.label.name,
        result = ctx.actions.declare_file(folder + "result.pb"),
        probabilities = ctx.actions.declare_file(folder + "probabilities.safetensors"),
        telemetry = ctx.actions.declare_file(folder + "telemetry.pb"),
    )
    outputs = [info.result, info.probabilities, info.telemetry]

    args = ctx.actions.args()
    args.add(spec, format = "--spec=%s")
    args.add(info.result, format = "--out=%s")
    args.add(info.probabilities, format = "--probabilities_out=%s")
    args.add(info.telemetry, format = "--telemetry_out=%s")
    if ctx.files.data:
        args.add("--data_dir=" + ctx.files.data[0].dirname)
    args.add("--threads=1")
    args.add("--progress=none")
    ctx.actions.run(
        executable = ctx.executable._trainer,
        arguments = [args],
        inputs = [spec] + ctx.files.data,
        outputs = outputs,
        mnemonic = "Train",
        progress_message = "Training %s" % ctx.label.name,
    )
    return [
        DefaultInfo(files = depset(outputs)),
        OutputGroupInfo(spec = depset([spec])),
        info,
    ]

_train_run = rule(
    implementation = _train_run_impl,
    attrs = {
        "spec": attr.string(mandatory = True, doc = "RunSpec, text form"),
        "data": attr.label_list(allow_files = True, doc = "the data set's files, in one folder"),
        # In the target configuration: it is what is under study, and is built as the tests build it.
        "_trainer": attr.label(default = "//engine:train", executable = True, cfg = "target"),
    },
)

# Data sets that are read from files; any other is made up by the engine.
_DATA = {
    "mnist": ["@mnist//:files"],
}

def sgd(learning_rate, momentum):
    """An OptimizerSpec, text form; the numbers are strings, as they are to be read."""
    return "sgd { learning_rate: %s momentum: %s }" % (learning_rate, momentum)

def train_run(
        name,
        model,
        policy,
        scale,
        seed,
        epochs,
        batch_size,
        optimizer,
        dataset,
        normalization,
        train_examples = 0,
        test_examples = 0,
        backend = "cpu",
        **kwargs):
    """A target whose action trains one network, on one thread; see engine/run/run.proto for the fields.

    Its files are `<name>/result.pb`, `<name>/probabilities.safetensors` and `<name>/telemetry.pb`.
    """
    _train_run(
        name = name,
        spec = """\
# proto-file: engine/run/run.proto
# proto-message: RunSpec
model: "{model}"
policy: "{policy}"
backend: "{backend}"
scale: "{scale}"
seed: {seed}
epochs: {epochs}
batch_size: {batch_size}
optimizer {{ {optimizer} }}
data {{
  dataset: "{dataset}"
  train_examples: {train_examples}
  test_examples: {test_examples}
  normalization: "{normalization}"
}}
""".format(
            model = model,
            policy = policy,
            backend = backend,
            scale = scale,
            seed = seed,
            epochs = epochs,
            batch_size = batch_size,
            optimizer = optimizer,
            dataset = dataset,
            train_examples = train_examples,
            test_examples = test_examples,
            normalization = normalization,
        ),
        data = _DATA.get(dataset, []),
        **kwargs
    )
