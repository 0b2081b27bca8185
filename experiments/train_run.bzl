"""train_run: a training run as a build action.

A run is cached by its specification, its data and the trainer; an experiment goes on where it was interrupted, and
the actions of many runs spread over the processors, or over a cluster with remote execution.

A long run is a chain of actions, its segments: each goes on from the checkpoint that the one before it wrote. What is
lost with an interrupted action is then a segment, not the run; the result is the same to the bit.
"""

load("//experiments:backend.bzl", "BackendInfo")

RunInfo = provider(
    doc = "What a training run left behind.",
    fields = {
        "name": "name of the run's target",
        "model": "name of its network",
        "seed": "its seed",
        "on_request": "whether only --//experiments:seeds asks for it",
        "result": "File: RunResult, a pure function of specification, data and engine",
        "probabilities": "File: safetensors, the test set's probabilities and labels",
        "telemetry": "File: RunTelemetry, which depends on the machine",
        "diagnosis": "File: Diagnosis, text form; None where none was asked for",
    },
)

def _train(ctx, spec, checkpoint, args, outputs, part = ""):
    """An action that trains, from `checkpoint` or from the start."""
    common = ctx.actions.args()
    common.add(spec, format = "--spec=%s")
    if ctx.files.data:
        common.add("--data_dir=" + ctx.files.data[0].dirname)
    if checkpoint:
        common.add(checkpoint, format = "--resume_from=%s")
    common.add("--threads=1")
    common.add("--progress=none")
    ctx.actions.run(
        executable = ctx.executable._trainer,
        arguments = [common, args],
        inputs = [spec] + ctx.files.data + ([checkpoint] if checkpoint else []),
        outputs = outputs,
        mnemonic = "Train",
        progress_message = "Training %s%s" % (ctx.label.name, part),
    )

def _train_run_impl(ctx):
    # Each backend's runs have files of their own: those of another one stay.
    backend = ctx.attr._backend[BackendInfo].name
    folder = "%s/%s/" % (ctx.label.name, backend) if backend != "cpu" else ctx.label.name + "/"
    spec = ctx.actions.declare_file(folder + "spec.textproto")
    ctx.actions.write(spec, ctx.attr.spec % backend)
    info = RunInfo(
        name = ctx.label.name,
        model = ctx.attr.model,
        seed = ctx.attr.seed,
        on_request = ctx.attr.on_request,
        result = ctx.actions.declare_file(folder + "result.pb"),
        probabilities = ctx.actions.declare_file(folder + "probabilities.safetensors"),
        telemetry = ctx.actions.declare_file(folder + "telemetry.pb"),
        diagnosis = ctx.actions.declare_file(folder + "diagnosis.textproto") if ctx.attr.diagnose else None,
    )
    outputs = [info.result, info.probabilities, info.telemetry]
    diagnosing = ["--diagnose"] if ctx.attr.diagnose else []

    checkpoint = None
    for epoch in ctx.attr.segment_ends:
        segment_end = ctx.actions.declare_file(folder + "epoch_%d.checkpoint" % epoch)
        args = ctx.actions.args()
        args.add(segment_end, format = "--checkpoint=%s")
        args.add(epoch, format = "--stop_after_epoch=%s")
        args.add("--checkpoint_minutes=0")
        args.add_all(diagnosing)
        _train(ctx, spec, checkpoint, args, [segment_end], " to epoch %d" % epoch)
        checkpoint = segment_end

    args = ctx.actions.args()
    args.add(info.result, format = "--out=%s")
    args.add(info.probabilities, format = "--probabilities_out=%s")
    args.add(info.telemetry, format = "--telemetry_out=%s")
    if info.diagnosis:
        outputs.append(info.diagnosis)
        args.add(info.diagnosis, format = "--diagnose_out=%s")
    _train(ctx, spec, checkpoint, args, outputs)
    return [
        DefaultInfo(files = depset(outputs), runfiles = ctx.runfiles(outputs)),
        OutputGroupInfo(spec = depset([spec])),
        info,
    ]

_train_run = rule(
    implementation = _train_run_impl,
    attrs = {
        "spec": attr.string(mandatory = True, doc = "RunSpec, text form, with %s for the backend"),
        "data": attr.label_list(allow_files = True, doc = "the data set's files, in one folder"),
        "diagnose": attr.bool(doc = "whether the run also writes what rounding did to each tensor"),
        "model": attr.string(mandatory = True),
        "seed": attr.int(mandatory = True),
        "on_request": attr.bool(),
        "segment_ends": attr.int_list(doc = "the epochs after which an action ends and the next one goes on"),
        "_backend": attr.label(default = "//experiments:backend", providers = [BackendInfo]),
        # In the target configuration: it is what is under study, and is built as the tests build it.
        "_trainer": attr.label(default = "//programs:train", executable = True, cfg = "target"),
    },
)

# Data sets that are read from files; any other is made up by the engine.
_DATA = {
    "cifar10": ["@cifar10//:files"],
    "mnist": ["@mnist//:files"],
}

def sgd(learning_rate, momentum):
    """An OptimizerSpec, text form; the numbers are strings, as they are to be read."""
    return "sgd { learning_rate: %s momentum: %s }" % (learning_rate, momentum)

def adam(learning_rate, epsilon):
    """Adam with the moments' usual decay."""
    return "adam { learning_rate: %s beta_1: 0.9 beta_2: 0.999 epsilon: %s }" % (learning_rate, epsilon)

def rmsprop(learning_rate, epsilon):
    """RMSProp with the usual decay."""
    return "rmsprop { learning_rate: %s rho: 0.9 epsilon: %s }" % (learning_rate, epsilon)

def _evaluation(early_test_examples, estimated_epochs, estimation_examples, flip_last_bit):
    lines = []
    if early_test_examples or estimated_epochs:
        lines.append("evaluation {{ early_test_examples: {} estimated_epochs: {} estimation_examples: {} }}\n".format(
            early_test_examples,
            estimated_epochs,
            estimation_examples,
        ))
    if flip_last_bit:
        lines.append("flip_last_bit: true\n")
    return "".join(lines)

def _model_options(width, batch_norm_momentum):
    options = ["width: " + width] if width else []
    if batch_norm_momentum:
        options.append("batch_norm_momentum: " + batch_norm_momentum)
    return "model_options { %s }\n" % " ".join(options) if options else ""

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
        width = "",
        batch_norm_momentum = "",
        early_test_examples = 0,
        estimated_epochs = 0,
        estimation_examples = 0,
        flip_last_bit = False,
        on_request = False,
        segments = 1,
        diagnose = False,
        **kwargs):
    """A target whose action trains one network, on one thread; see engine/run/run.proto for the fields.

    Its files are `<name>/result.pb`, `<name>/probabilities.safetensors` and `<name>/telemetry.pb`. With `segments` it
    is a chain of so many actions, of whole epochs each; the telemetry is then that of the last one. With `diagnose`
    there is `<name>/diagnosis.textproto`, too. A run `on_request` is part of a report only where
    --//experiments:seeds asks for so many. On another backend than "cpu" (--//experiments:backend) the files lie in
    `<name>/<backend>`. Numbers that are strings are as they are to be read; an empty one leaves
    the network as the paper has it.
    """
    if segments < 1 or segments > epochs:
        fail("train_run %s: segments = %d is not in [1, epochs = %d]" % (name, segments, epochs))
    _train_run(
        name = name,
        spec = """\
# proto-file: engine/run/run.proto
# proto-message: RunSpec
model: "{model}"
policy: "{policy}"
backend: "%s"
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
            scale = scale,
            seed = seed,
            epochs = epochs,
            batch_size = batch_size,
            optimizer = optimizer,
            dataset = dataset,
            train_examples = train_examples,
            test_examples = test_examples,
            normalization = normalization,
        ) + _model_options(width, batch_norm_momentum) +
               _evaluation(early_test_examples, estimated_epochs, estimation_examples, flip_last_bit),
        model = model,
        seed = seed,
        on_request = on_request,
        data = _DATA.get(dataset, []),
        diagnose = diagnose,
        segment_ends = [epochs * i // segments for i in range(1, segments)],
        # Of the machine that it runs on, where that is another one.
        exec_properties = select({
            "//experiments:trains_on_cuda": {"gpu": "1"},
            "//conditions:default": {},
        }),
        **kwargs
    )
