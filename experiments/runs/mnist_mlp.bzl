"""The runs of the MNIST network: one target per policy, seed and scale, shared by figures 1 and 2 and Lemma 1.

The paper does not state its protocol on MNIST; this is ours. Only smoke is smaller: it is for tests, on made-up data.
"""

load("//experiments:train_run.bzl", "sgd", "train_run")

MNIST_MLP_POLICIES = ["FP32", "FP16", "MP", "BF16", "FP16_ACC16"]

_PROTOCOL = dict(
    model = "mlp",
    batch_size = 128,
    optimizer = sgd(learning_rate = "0.01", momentum = "0.9"),
    normalization = "unit",
)

_SCALES = {
    "smoke": dict(
        seeds = 2,
        spec = dict(dataset = "synthetic_mnist", train_examples = 2000, test_examples = 500, epochs = 2),
    ),
    "lite": dict(seeds = 5, spec = dict(dataset = "mnist", epochs = 10)),
    "paper": dict(seeds = 50, spec = dict(dataset = "mnist", epochs = 10)),
}

def _seeds(scale, policy):
    # 16-bit accumulators are slow and beyond the paper: one seed.
    return [1] if policy == "FP16_ACC16" else range(1, _SCALES[scale]["seeds"] + 1)

def _name(policy, seed, scale):
    return "mnist_mlp_%s_seed%d_%s" % (policy.lower(), seed, scale)

def mnist_mlp_runs(policies):
    """For each scale, the labels of the runs of `policies`."""
    return {
        scale: [
            "//experiments/runs:" + _name(policy, seed, scale)
            for policy in policies
            for seed in _seeds(scale, policy)
        ]
        for scale in _SCALES
    }

def define_mnist_mlp_runs():
    """Makes the targets; called once, by experiments/runs/BUILD."""
    for scale, settings in _SCALES.items():
        for policy in MNIST_MLP_POLICIES:
            for seed in _seeds(scale, policy):
                spec = dict(_PROTOCOL)
                spec.update(settings["spec"])
                train_run(
                    name = _name(policy, seed, scale),
                    policy = policy,
                    seed = seed,
                    scale = scale,
                    # Runs on real data are made when something asks for them, not by `bazel build //...`.
                    tags = [] if scale == "smoke" else ["manual"],
                    **spec
                )
