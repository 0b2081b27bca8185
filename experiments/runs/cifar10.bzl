"""The runs of table 2 on CIFAR-10, shared by figures 3 and 4 and by what figure 1 and Lemma 1 say of these networks.

`paper` is the paper's protocol. `lite` is smaller in everything named below, alike for all precisions of a network, so
that each network learns well above chance in minutes: a quarter as wide, of the same depth, batches of 32, a part of
the training examples, and batch normalisation whose moving averages follow in few steps. The vision transformers stay
at chance in so short a training on pixels / 255; theirs are standardized there, like the others'.
"""

load("//experiments:train_run.bzl", "sgd", "train_run")

# The precisions of table 2. The paper's FP16 column is what its text claims (FP16) or what its framework did
# (FP16_BN32: batch normalisation in 32 bits); without batch normalisation the two are one.
_POLICIES = ["FP32", "FP16", "FP16_BN32", "MP"]

# Beyond the paper, on the cheapest networks.
_BEYOND = ["BF16", "FP16_ACC16"]

def _network(seeds, batch_norm = True, beyond = False, **lite):
    """seeds: at scale lite. lite: what else it has of its own there."""
    return dict(
        policies = [policy for policy in _POLICIES if batch_norm or policy != "FP16_BN32"],
        beyond = _BEYOND if beyond else [],
        batch_norm = batch_norm,
        seeds = seeds,
        lite = lite,
    )

# In the paper's order.
_NETWORKS = {
    "alexnet": _network(seeds = 5, batch_norm = False, beyond = True, train_examples = 10000, epochs = 5),
    "vgg16": _network(seeds = 3, width = "0.125"),
    "vgg19": _network(seeds = 3, width = "0.125"),
    "resnet32": _network(seeds = 3),
    "resnet56": _network(seeds = 3, train_examples = 3500),
    "resnet110": _network(seeds = 3, train_examples = 2500),
    "densenet121": _network(seeds = 5),
    "densenet169": _network(seeds = 3),
    "xception": _network(seeds = 3),
    "mobilenet_v2": _network(seeds = 5, beyond = True, width = "0.5", train_examples = 10000),
    "vit8": _network(seeds = 5, batch_norm = False, beyond = True, train_examples = 10000),
    "vit12": _network(seeds = 3, batch_norm = False, train_examples = 10000),
}

CIFAR10_MODELS = _NETWORKS.keys()

_SCALES = {
    "smoke": dict(
        dataset = "synthetic_cifar10",
        train_examples = 64,
        test_examples = 32,
        width = "0.125",
        batch_norm_momentum = "0.9",
        epochs = 2,
        batch_size = 16,
    ),
    "lite": dict(
        dataset = "cifar10",
        train_examples = 5000,
        test_examples = 2000,
        width = "0.25",
        batch_norm_momentum = "0.9",
        epochs = 4,
        batch_size = 32,
    ),
    "paper": dict(dataset = "cifar10", epochs = 100, batch_size = 256, segments = 10),
}

def _seeds(model, policy, scale):
    if scale == "lite":
        # 16-bit accumulators are slow: fewer.
        return range(1, (2 if policy == "FP16_ACC16" else _NETWORKS[model]["seeds"]) + 1)
    return range(1, 50 + 1) if scale == "paper" else [1, 2]

def _name(model, policy, seed, scale):
    return "cifar10_%s_%s_seed%d_%s" % (model, policy.lower(), seed, scale)

def _labels(models, policies_of):
    return {
        scale: [
            "//experiments/runs:" + _name(model, policy, seed, scale)
            for model in models
            for policy in policies_of(_NETWORKS[model])
            for seed in _seeds(model, policy, scale)
        ]
        for scale in _SCALES
    }

def _policies(network):
    return network["policies"]

def _with_beyond(network):
    return network["policies"] + network["beyond"]

def cifar10_runs():
    """For each scale, the labels of table 2's runs."""
    return _labels(_NETWORKS.keys(), _policies)

def cifar10_beyond_runs():
    """For each scale, the labels of the runs of those networks that also have bfloat16 and 16-bit accumulators."""
    return _labels([model for model, network in _NETWORKS.items() if network["beyond"]], _with_beyond)

def cifar10_all_runs():
    """For each scale, the labels of the runs of both."""
    return _labels(_NETWORKS.keys(), _with_beyond)

def define_cifar10_runs():
    """Makes the targets; called once, by experiments/runs/BUILD."""
    for model, network in _NETWORKS.items():
        for scale, settings in _SCALES.items():
            spec = dict(settings)
            if scale == "lite":
                spec.update(network["lite"])
            if not network["batch_norm"]:
                spec.pop("batch_norm_momentum", None)
            published_pixels = "unit" if model.startswith("vit") else "standardized"
            for policy in _with_beyond(network):
                for seed in _seeds(model, policy, scale):
                    train_run(
                        name = _name(model, policy, seed, scale),
                        model = model,
                        policy = policy,
                        seed = seed,
                        scale = scale,
                        optimizer = sgd(learning_rate = "0.01", momentum = "0.9"),
                        normalization = published_pixels if scale == "paper" else "standardized",
                        # Runs on real data are made when something asks for them, not by `bazel build //...`.
                        tags = [] if scale == "smoke" else ["manual"],
                        **spec
                    )
