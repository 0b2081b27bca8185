"""The runs of table 3: optimizers that divide by a second moment, on CIFAR-10, over their epsilons.

The paper shows Adam in FP16 alone and gives no learning rate. Beside it stand FP32 and MP for some of the epsilons,
RMSProp, and SGD as a control that has no epsilon.

What epsilon does depends on the gradients that it stands against, and so on a network's width and on how much it has
learnt. So `lite` trains few networks, but whole ones: ResNet-18 at full width, for ten epochs of 448 images, after which
FP32 has learnt nine in ten of them (a pilot of one run, seed 101; the narrow networks of 280 steps that stood here before
nothing could be said of). ResNet-34, the second rate and MP are for scale `paper`.
"""

load("//experiments:train_run.bzl", "adam", "rmsprop", "sgd", "train_run")

_EPSILONS = ["1e-2", "1e-3", "1e-4", "1e-5", "1e-6", "1e-7"]

# For the precisions that the paper leaves out.
_SOME_EPSILONS = ["1e-2", "1e-4", "1e-7"]

# Keras' default rate, and the one that the paper's section 4.2 gives for SGD.
_RATES = ["1e-3", "1e-2"]

_SCALES = {
    "smoke": dict(
        seeds = 1,
        spec = dict(
            dataset = "synthetic_cifar10",
            train_examples = 64,
            test_examples = 32,
            width = "0.125",
            batch_norm_momentum = "0.9",
            epochs = 2,
            batch_size = 16,
        ),
    ),
    "lite": dict(
        seeds = 2,
        spec = dict(
            dataset = "cifar10",
            train_examples = 448,
            test_examples = 1000,
            early_test_examples = 50,
            batch_norm_momentum = "0.9",
            epochs = 10,
            batch_size = 32,
        ),
    ),
    "paper": dict(
        seeds = 50,
        spec = dict(dataset = "cifar10", epochs = 100, batch_size = 256, segments = 10),
    ),
}

def _rule_runs(model, rule, rates, policies, epsilons):
    """Runs of one adaptive rule."""
    return [
        dict(model = model, policy = policy, rule = rule, rate = rate, epsilon = epsilon)
        for rate in rates
        for policy in policies
        for epsilon in epsilons
    ]

def _full_runs(model, rule, rates):
    """FP16 at every epsilon, FP32 and MP at some."""
    return _rule_runs(model, rule, rates, ["FP16"], _EPSILONS) + _rule_runs(model, rule, rates, ["FP32", "MP"], _SOME_EPSILONS)

def _control(model, policies = ["FP32", "FP16", "MP"]):
    return [dict(model = model, policy = policy, rule = "sgd", rate = "1e-2") for policy in policies]

_ALL_RUNS = (
    _full_runs("resnet18", "adam", _RATES) +
    _full_runs("resnet34", "adam", _RATES[:1]) +
    _full_runs("resnet18", "rmsprop", _RATES[:1]) +
    _control("resnet18") +
    _control("resnet34")
)

_LITE_RUNS = (
    _rule_runs("resnet18", "adam", _RATES[:1], policies = ["FP16"], epsilons = _EPSILONS) +
    _rule_runs("resnet18", "adam", _RATES[:1], policies = ["FP32"], epsilons = ["1e-4", "1e-7"]) +
    _rule_runs("resnet18", "rmsprop", _RATES[:1], policies = ["FP16"], epsilons = ["1e-2", "1e-4", "1e-7"]) +
    _control("resnet18", policies = ["FP32", "FP16"])
)

def _optimizer(run):
    if run["rule"] == "sgd":
        return sgd(learning_rate = run["rate"], momentum = "0.9")
    rule = adam if run["rule"] == "adam" else rmsprop
    return rule(learning_rate = run["rate"], epsilon = run["epsilon"])

def _name(run, seed, scale):
    epsilon = ["eps" + run["epsilon"]] if "epsilon" in run else []
    return "_".join(
        ["cifar10", run["model"], run["policy"].lower(), run["rule"], "rate" + run["rate"]] + epsilon +
        ["seed%d" % seed, scale],
    )

def _runs(scale):
    """Pairs of a run and its seed."""
    return [
        (run, seed)
        for run in (_LITE_RUNS if scale == "lite" else _ALL_RUNS)
        for seed in range(1, _SCALES[scale]["seeds"] + 1)
    ]

def cifar10_optimizer_runs():
    """For each scale, the labels of table 3's runs."""
    return {
        scale: ["//experiments/runs:" + _name(run, seed, scale) for run, seed in _runs(scale)]
        for scale in _SCALES
    }

def define_cifar10_optimizer_runs():
    """Makes the targets; called once, by experiments/runs/BUILD."""
    for scale, settings in _SCALES.items():
        for run, seed in _runs(scale):
            train_run(
                name = _name(run, seed, scale),
                model = run["model"],
                policy = run["policy"],
                seed = seed,
                scale = scale,
                optimizer = _optimizer(run),
                normalization = "standardized",
                # What the second moments do is what table 3 is about.
                diagnose = True,
                # Runs on real data are made when something asks for them, not by `bazel build //...`.
                tags = [] if scale == "smoke" else ["manual"],
                **settings["spec"]
            )
