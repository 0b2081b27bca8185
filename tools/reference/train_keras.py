#!/usr/bin/env python3
"""Trains a network of the paper in Keras 2.15 by the protocol of our recorded runs, and keeps its accuracies.

usage: ./bazelw run //tools/reference:train_keras -- --data=FOLDER --machine=TEXT --out=FILE.textproto
           [--model=mobilenet_v2] [--seed=1] [--epochs=100] [--note=TEXT]

`python3` on the PATH needs TensorFlow 2.15 (tools/reference/requirements.txt). FOLDER has the files of CIFAR-10's
binary version. The run is that of a RunSpec of scale "paper": FP32, SGD of rate 0.01 and momentum 0.9, batches of 256,
pixels standardized by one mean and deviation; the seed draws Keras' own weights and order of images.

FILE is a ReferenceCurve (experiments/recorded/reference_curve.proto), written anew after every epoch, so that a run
that is stopped leaves what it has; a file that is there is replaced.
"""

import argparse
import datetime
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True  # the modules lie in the source tree

_EPOCHS = 100  # of the protocol
_BATCH, _LEARNING_RATE, _MOMENTUM = 256, 0.01, 0.9
_SIDE, _CHANNELS = 32, 3
_RECORD = 1 + _CHANNELS * _SIDE * _SIDE  # bytes: a label, then the pixels, channel by channel
_TRAINING = ["data_batch_%d.bin" % i for i in range(1, 6)]
_TEST = ["test_batch.bin"]


class Refused(Exception):
    """Bad input, told in one line."""


def split_records(path, contents):
    """The number of images in a file of the binary version."""
    if not contents or len(contents) % _RECORD:
        raise Refused("%s: %d bytes are no whole images; give CIFAR-10's binary version" % (path, len(contents)))
    return len(contents) // _RECORD


def curve_text(provenance, model, seed, points):
    """The text of a ReferenceCurve; points are (training accuracy, test accuracy), an epoch each."""
    lines = ["# proto-file: experiments/recorded/reference_curve.proto",
             "# proto-message: repro16.ReferenceCurve",
             "#",
             "# %d of %d epochs. Written by tools/reference/train_keras.py." % (len(points), _EPOCHS),
             'framework: "Keras 2.15"']
    for field in ("software", "machine", "date", "note"):
        if provenance[field]:
            # Text form takes JSON's strings, of which every character is ASCII.
            lines.append("%s: %s" % (field, json.dumps(provenance[field])))
    lines += ["spec {",
              "  model: %s" % json.dumps(model),
              '  policy: "FP32"',
              '  scale: "paper"',
              "  seed: %d" % seed,
              "  epochs: %d" % _EPOCHS,
              "  batch_size: %d" % _BATCH,
              "  optimizer { sgd { learning_rate: %s momentum: %s } }" % (_LEARNING_RATE, _MOMENTUM),
              '  data { dataset: "cifar10" normalization: "standardized" }',
              "}",
              "epochs_made: %d" % len(points)]
    for epoch, (train, test) in enumerate(points, 1):
        lines.append("points { epoch: %d train_accuracy: %s test_accuracy: %s }" % (epoch, train, test))
    return "\n".join(lines) + "\n"


def write(path, text):
    """Writes beside the file and renames: a reader finds the old one or the new one, whole."""
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _read(folder, names, numpy):
    """Images [N, H, W, C] as bytes, and labels."""
    images, labels = [], []
    for name in names:
        try:
            contents = (folder / name).read_bytes()
        except OSError as error:
            raise Refused("--data: %s: %s; name the folder with CIFAR-10's binary version" %
                          (folder / name, error.strerror)) from error
        records = numpy.frombuffer(contents, numpy.uint8).reshape(split_records(folder / name, contents), _RECORD)
        labels.append(records[:, 0].astype(numpy.int64))
        images.append(records[:, 1:].reshape(-1, _CHANNELS, _SIDE, _SIDE).transpose(0, 2, 3, 1))
    return numpy.concatenate(images), numpy.concatenate(labels)


def _train(arguments, keep):
    """Trains, and hands the points so far and the versions to `keep` after each epoch."""
    import keras
    import numpy as np
    import tensorflow as tf

    import keras_networks

    if not tf.__version__.startswith("2.15."):
        raise Refused("TensorFlow %s is installed, not 2.15; pip install -r tools/reference/requirements.txt" %
                      tf.__version__)
    if arguments.model not in keras_networks.NETWORKS:
        raise Refused("--model: no network '%s'; give one of %s" %
                      (arguments.model, ", ".join(sorted(keras_networks.NETWORKS))))
    images, labels = _read(arguments.data, _TRAINING, np)
    test_images, test_labels = _read(arguments.data, _TEST, np)
    mean, deviation = images.mean(dtype=np.float64), images.std(dtype=np.float64)

    def standardized(pixels):
        return ((pixels - mean) / (deviation + 1e-7)).astype(np.float32)

    tf.keras.utils.set_random_seed(arguments.seed)
    network, _ = keras_networks.build(arguments.model)
    network.compile(tf.keras.optimizers.SGD(_LEARNING_RATE, _MOMENTUM),
                    tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    software = "TensorFlow %s, Keras %s, NumPy %s, Python %s" % (
        tf.__version__, keras.__version__, np.__version__, sys.version.split()[0])
    points = []

    def on_epoch_end(epoch, logs):
        points.append((round(logs["accuracy"], 6), round(logs["val_accuracy"], 6)))
        print("epoch %d/%d  train %.2f%%  test %.2f%%" %
              (epoch + 1, arguments.epochs, 100 * points[-1][0], 100 * points[-1][1]), flush=True)
        keep(software, points)

    network.fit(standardized(images), labels, _BATCH, arguments.epochs, verbose=0, shuffle=True,
                validation_data=(standardized(test_images), test_labels), validation_batch_size=_BATCH,
                callbacks=[tf.keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)])


def _parse(command_line):
    parser = argparse.ArgumentParser(description="Trains a network of the paper in Keras and keeps its accuracies.")
    parser.add_argument("--model", default="mobilenet_v2")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with CIFAR-10's binary version")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="where the curve goes, a *.textproto")
    parser.add_argument("--machine", required=True, help="processor, and how much of it the run had")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=_EPOCHS, help="stop after so many of the protocol's")
    parser.add_argument("--note", default="", help="e.g. what else ran on the machine")
    arguments = parser.parse_args(command_line)
    if not 1 <= arguments.epochs <= _EPOCHS:
        raise Refused("--epochs: %d is not in [1, %d]; give so many" % (arguments.epochs, _EPOCHS))
    # A relative path is meant from where `bazel run` was called.
    caller = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    arguments.data, arguments.out = caller / arguments.data, caller / arguments.out
    if not arguments.out.parent.is_dir():
        raise Refused("--out: %s: no such folder; make it first" % arguments.out.parent)
    return arguments


def main(command_line):
    try:
        arguments = _parse(command_line)

        def keep(software, points):
            provenance = {"software": software, "machine": arguments.machine, "note": arguments.note,
                          "date": datetime.date.today().isoformat()}
            write(arguments.out, curve_text(provenance, arguments.model, arguments.seed, points))

        _train(arguments, keep)
    except ImportError as error:
        print("train_keras: %s; pip install -r tools/reference/requirements.txt" % error, file=sys.stderr)
        return 2
    except Refused as error:
        print("train_keras: %s" % error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
