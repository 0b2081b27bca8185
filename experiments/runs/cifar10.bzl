"""The runs of table 2 on CIFAR-10, shared by figures 3 and 4 and by what figure 1 and Lemma 1 say of these networks.

`paper` is the paper's protocol. `lite` asks what rounding does to a training that has gone to its end, on two cores in
an hour: few images learnt well, in narrow networks with batches of 32, alike for all precisions of a network.

The protocol of `lite` was fixed from a pilot ([pilot.csv](pilot.csv)), whose seeds (1 to 8, and 101 to 104) are not used
again; its seeds are 201 and up:

- 500 training images, for as many epochs as a network takes to learn most of them. Many images half learnt gave
  differences between two precisions that vary two to ten times as much: a network in the middle of its learning turns
  on any small change.
- The final accuracy is the mean over the last epochs, each of all 10,000 test images, with statistics of batch
  normalisation that are estimated from the training images: averages that rest on some ten small batches are noise
  that has nothing to do with the precision. What the moving averages give after the last epoch stands beside it. Two
  epochs do as well as four in all networks but AlexNet, which takes eight.
- A control: FP32 once more, with the last bit of one initial weight flipped. What it differs by from FP32 is chaos.
- BF16, eight digits in place of FP16's eleven, in the eight networks whose runs are short: whether these runs see a
  rounding eight times as coarse. The pilot looked for a number of images at which BF16 loses, and found none that chaos
  does not hide; FP16 was not looked at for it.
- ResNets are half as wide, the other networks a quarter: at a quarter they have four channels, and one flipped bit
  moves their accuracy by 3.5 points.
- From 2 to 9 seeds: as many as make the standard error of the mean over networks least, in the time there is, by the
  deviations that the pilot had between pairs of each network (0.3 to 2.5 points; table2/golden.textproto) and the
  seconds that a run takes: by those deviations 0.20 points.

The vision transformers stay at chance in so short a training on pixels / 255; theirs are standardized there, like the
others'.
"""

load("//experiments:train_run.bzl", "sgd", "train_run")

# The precisions of table 2. The paper's FP16 column is what its text claims (FP16) or what its framework did
# (FP16_BN32: batch normalisation in 32 bits); without batch normalisation the two are one.
_PAPERS = ["FP32", "FP16", "FP16_BN32", "MP"]

def _network(seeds, epochs = 48, batch_norm = True, beyond = ["BF16"], estimated_epochs = 2, **lite):
    """beyond: policies that the paper does not have; the rest: what it has of its own at scale lite."""
    return dict(
        policies = [policy for policy in _PAPERS if batch_norm or policy != "FP16_BN32"] + ["FP32_CONTROL"],
        beyond = beyond,
        batch_norm = batch_norm,
        seeds = seeds,
        lite = dict(lite, epochs = epochs, estimated_epochs = estimated_epochs),
    )

# In the paper's order.
_NETWORKS = {
    "alexnet": _network(seeds = 9, batch_norm = False, beyond = ["BF16", "FP16_ACC16"], estimated_epochs = 8),
    "vgg16": _network(seeds = 8, width = "0.125"),
    "vgg19": _network(seeds = 8, width = "0.125"),
    "resnet32": _network(seeds = 2, epochs = 36, width = "0.5", beyond = []),
    "resnet56": _network(seeds = 2, epochs = 32, width = "0.5", beyond = []),
    "resnet110": _network(seeds = 2, epochs = 28, width = "0.5", beyond = []),
    "densenet121": _network(seeds = 5),
    "densenet169": _network(seeds = 7),
    "xception": _network(seeds = 4),
    "mobilenet_v2": _network(seeds = 9, epochs = 100, width = "0.5", beyond = ["BF16", "FP16_ACC16"]),
    "vit8": _network(seeds = 3, batch_norm = False, beyond = ["BF16", "FP16_ACC16"]),
    "vit12": _network(seeds = 3, batch_norm = False, beyond = []),
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
        early_test_examples = 16,
        estimated_epochs = 1,
        estimation_examples = 32,
    ),
    "lite": dict(
        dataset = "cifar10",
        train_examples = 500,
        test_examples = 10000,
        width = "0.25",
        batch_norm_momentum = "0.9",
        batch_size = 32,
        early_test_examples = 200,
        estimation_examples = 480,
    ),
    "paper": dict(dataset = "cifar10", epochs = 100, batch_size = 256, segments = 10),
}

# Those of the pilot are under it.
_FIRST_LITE_SEED = 201

# As many as --//experiments:seeds may ask for.
_MOST_LITE_SEEDS = 15

def _seeds(model, policy, scale, most = False):
    if scale == "paper":
        return range(1, 50 + 1)
    if scale == "smoke":
        return [1] if policy == "FP32_CONTROL" else [1, 2]

    # 16-bit accumulators are slow: shown, and too few to be judged.
    seeds = 3 if policy == "FP16_ACC16" else _MOST_LITE_SEEDS if most else _NETWORKS[model]["seeds"]
    return range(_FIRST_LITE_SEED, _FIRST_LITE_SEED + seeds)

def _name(model, policy, seed, scale):
    return "cifar10_%s_%s_seed%d_%s" % (model, policy.lower(), seed, scale)

def _labels(policies, models = _NETWORKS.keys(), most = False):
    return {
        scale: [
            "//experiments/runs:" + _name(model, policy, seed, scale)
            for model in models
            for policy in _all_policies(_NETWORKS[model])
            if policy in policies
            for seed in _seeds(model, policy, scale, most)
        ]
        for scale in _SCALES
    }

def _all_policies(network):
    return network["policies"] + network["beyond"]

def cifar10_runs(beside = []):
    """For each scale, the labels of table 2's runs, with those of more seeds, which are made on request.

    Args:
      beside: policies beside those of the paper: FP32_CONTROL, BF16.
    """
    return _labels(_PAPERS + beside, most = True)

def cifar10_beyond_runs():
    """For each scale, the labels of the runs of those networks that also have bfloat16 or 16-bit accumulators."""
    models = [model for model, network in _NETWORKS.items() if network["beyond"]]
    return _labels(_PAPERS + ["BF16", "FP16_ACC16"], models)

def cifar10_all_runs():
    """For each scale, the labels of the runs of both, without those of more seeds."""
    return _labels(_PAPERS + ["FP32_CONTROL", "BF16", "FP16_ACC16"])

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
            for policy in _all_policies(network):
                for seed in _seeds(model, policy, scale, most = True):
                    train_run(
                        name = _name(model, policy, seed, scale),
                        model = model,
                        policy = policy.replace("_CONTROL", ""),
                        flip_last_bit = policy == "FP32_CONTROL",
                        seed = seed,
                        on_request = seed not in _seeds(model, policy, scale),
                        scale = scale,
                        optimizer = sgd(learning_rate = "0.01", momentum = "0.9"),
                        normalization = published_pixels if scale == "paper" else "standardized",
                        # Runs on real data are made when something asks for them, not by `bazel build //...`.
                        tags = [] if scale == "smoke" else ["manual"],
                        **spec
                    )
