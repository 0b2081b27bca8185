#!/usr/bin/env python3
"""Makes the reference files of tests/reference: the first step of every network by Keras 2.15, in f64.

usage: ./bazelw run //tools/reference:make_references -- [--models=alexnet,vit8] [--output=FOLDER]

`python3` on the PATH needs the packages of tools/reference/requirements.txt. PyTorch computes each step a
second time; a difference beyond rounding between the two frameworks is an error, and nothing is written.

A file tests/reference/MODEL.safetensors holds, all f32:
  logits, training_logits   [N, classes]
  loss                      mean over the batch
  moments, samples          digest.py of: each parameter in the order of the graph, its gradient, or of a
                            moving statistic its value after the step; then the gradient of the images
  initial                   [parameters, 2]: mean and standard deviation as Keras initialises them
  f32_error                 how far Keras in f32 is from this: of the training logits, and the largest of
                            all gradients, each relative to the tensor's norm

Moving statistics are those of Keras in f32: in f64 it takes another path (its batch normalisation is not
fused), which moves the variance by the biased estimate.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the modules lie in the source tree

import numpy as np

import digest
import safetensors_file
import steps

_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_EXPORT = "tools/reference/export_model"  # where bazel run starts this
_MODELS = ("alexnet,vgg16,vgg19,resnet32,resnet56,resnet110,densenet121,densenet169,xception,mobilenet_v2,vit8,vit12,"
           "resnet18,resnet34,mlp")
# A gradient that is 0 in exact arithmetic (of a bias before a batch normalisation) is noise in each framework.
_NOISE = 1e-9


def _distance(a, b, noise):
    """|a - b| / |b|, with norms no smaller than `noise`."""
    return np.linalg.norm(np.ravel(a) - np.ravel(b)) / max(np.linalg.norm(np.ravel(b)), noise, 1e-300)


def _is_moving(name):
    return "/moving_" in name


class _Comparison:
    """Two steps of one case: relative distances of the training logits and of the worst gradient."""

    def __init__(self, names, step, exact):
        self.logits = _distance(step["training_logits"], exact["training_logits"], 0)
        gradients = [(name, a, b) for name, a, b in zip(names, step["results"], exact["results"])
                     if not _is_moving(name)]
        norm = np.sqrt(sum(np.sum(np.square(b)) for _, _, b in gradients))
        self.gradient, self.worst = max((_distance(a, b, 0), name) for name, a, b in gradients
                                        if np.linalg.norm(b) > _NOISE * norm)
        self.moving = max([_distance(a, b, 0) for name, a, b in zip(names, step["results"], exact["results"])
                           if _is_moving(name)], default=0)


def _make(name, export, folder):
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "case.safetensors"
        subprocess.run([export, "--model=" + name, "--output=%s" % path], check=True)
        case = safetensors_file.read(path)
    names = [key for key in case if key != "labels"]  # "images" stands last
    exact, initial = steps.keras_step(name, case, "float64")
    f32, _ = steps.keras_step(name, case, "float32")
    second = _Comparison(names, steps.torch_step(name, case), exact)
    rounded = _Comparison(names, f32, exact)
    print("%s: PyTorch in f64 differs by %.1e (logits), %.1e (gradient of %s); Keras in f32 by %.1e, %.1e (%s)" % (
        name, second.logits, second.gradient, second.worst, rounded.logits, rounded.gradient, rounded.worst),
          flush=True)
    if not (second.logits < 1e-6 and second.gradient < 1e-6):
        sys.exit("make_references: %s: Keras and PyTorch do not agree" % name)
    results = [b if _is_moving(key) else a for key, a, b in zip(names, exact["results"], f32["results"])]
    tensors = {"logits": exact["logits"], "training_logits": exact["training_logits"], "loss": exact["loss"],
               **digest.digest(results), "initial": np.array([(x.mean(), x.std()) for x in initial]),
               "f32_error": np.array([rounded.logits, rounded.gradient])}
    safetensors_file.write(folder / (name + ".safetensors"), tensors,
                           {"model": name, "source": "Keras 2.15, tools/reference/make_references.py"})


def main():
    parser = argparse.ArgumentParser(description="Makes the reference files of the networks.")
    parser.add_argument("--models", default=_MODELS, help="names, comma-separated")
    parser.add_argument("--output", type=pathlib.Path, default=_ROOT / "tests/reference")
    parser.add_argument("--export", default=_EXPORT, help="the binary //tools/reference:export_model")
    arguments = parser.parse_args()
    try:
        import tensorflow  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        print("make_references: %s; pip install -r %s" % (error, "tools/reference/requirements.txt"), file=sys.stderr)
        return 2
    for name in arguments.models.split(","):
        _make(name, arguments.export, arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
