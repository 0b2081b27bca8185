#!/usr/bin/env python3
"""Times whole training steps of PyTorch (and of Keras on request) and of this engine, in turns, in one run.

usage: ./bazelw run //benchmarks:compare_torch -- [--models=alexnet,vit8] [--peers=torch,torch_bf16,keras] ...

`python3` on the PATH needs PyTorch, which is no dependency of the build; --peers=keras needs TensorFlow 2.15.
A step is forward pass, backward pass and SGD with momentum on one batch of noise that is there already.
Printed are medians of images a second, and medians of the ratios of neighbouring turns: what the machine does
besides slows both. PyTorch runs in the faster of its two layouts, which a turn of each finds out first.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the modules lie in the source tree
_ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT / "tools/reference"))

_MODELS = "mlp,alexnet,vgg16,resnet32,resnet56,resnet110,densenet121,xception,mobilenet_v2,vit8,resnet18"
_PEERS = ("torch", "torch_bf16", "torch_f16", "keras")
_INSTALL = {"torch": "pip install torch", "tensorflow": "pip install 'tensorflow-cpu==2.15.*' (Python 3.9 to 3.11)"}
_LEARNING_RATE, _MOMENTUM = 0.01, 0.9


# --- The peers: each makes a function that does one step ---------------------------------------------


def _torch_step(model, batch, threads, dtype, channels_last):
    import torch

    import torch_networks

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = torch_networks.build(model).to(dtype=dtype, memory_format=layout).train()
    shape = (batch, 1, 28, 28) if model == "mlp" else (batch, 3, 32, 32)
    images = torch.randn(shape).to(dtype=dtype, memory_format=layout)
    labels = torch.randint(10, (batch,))
    optimizer = torch.optim.SGD(network.parameters(), _LEARNING_RATE, _MOMENTUM)

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()

    return step


def _keras_step(model, batch, threads):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    import keras_networks

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network, _ = keras_networks.build(model)
    network.compile(tf.keras.optimizers.SGD(_LEARNING_RATE, _MOMENTUM),
                    tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = tf.random.normal((batch, 28, 28, 1) if model == "mlp" else (batch, 32, 32, 3))
    labels = tf.random.uniform((batch,), maxval=10, dtype=tf.int32)
    train = network.make_train_function()
    data = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    return lambda: train(data)


def _candidates(peer, model, batch, threads):
    """The ways in which a peer can do the step, by name."""
    if peer == "keras":
        return {"channels last": lambda: _keras_step(model, batch, threads)}
    import torch
    dtype = {"torch": torch.float32, "torch_bf16": torch.bfloat16, "torch_f16": torch.float16}[peer]
    if model in ("mlp", "vit8", "vit12"):  # nothing in them has a layout
        return {"contiguous": lambda: _torch_step(model, batch, threads, dtype, False)}
    return {"channels last": lambda: _torch_step(model, batch, threads, dtype, True),
            "contiguous": lambda: _torch_step(model, batch, threads, dtype, False)}


def _rate(step, batch, seconds):
    """Images a second over `seconds`, at least one step."""
    begin, steps = time.perf_counter(), 0
    while not steps or time.perf_counter() - begin < seconds:
        step()
        steps += 1
    return steps * batch / (time.perf_counter() - begin)


def _serve(connection, peer, model, batch, threads, seconds):
    """The process of a peer: sends the layout it took, then a rate for each request until one is None."""
    best = None
    for layout, make in _candidates(peer, model, batch, threads).items():
        step = make()
        step()  # warms up
        rate = _rate(step, batch, seconds)
        if best is None or rate > best[0]:
            best = (rate, layout, step)
    connection.send(best[1])
    while connection.recv() is not None:
        connection.send(_rate(best[2], batch, seconds))


class _Peer:
    """A peer in a process of its own, which sleeps while others have their turn."""

    def __init__(self, context, peer, model, arguments, batch):
        self.connection, other = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(other, peer, model, batch, arguments.threads, arguments.seconds), daemon=True)
        self.process.start()
        other.close()  # so that the end of the process is an error of recv
        self.layout = self.connection.recv()

    def turn(self):
        self.connection.send("turn")
        return self.connection.recv()

    def close(self):
        self.connection.send(None)
        self.process.join()


# --- Ours --------------------------------------------------------------------------------------------


def _our_turn(model, arguments, batch):
    """Images a second by policy."""
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "rates.json"
        subprocess.run([arguments.train_step, "--model=" + model, "--policies=" + arguments.policies,
                        "--batch=%d" % batch, "--threads=%d" % arguments.threads, "--rounds=1",
                        "--seconds=%g" % arguments.seconds, "--json=%s" % path],
                       check=True, stdout=subprocess.DEVNULL)
        report = json.loads(path.read_text())
    return {policy["policy"]: policy["images_per_second"] for policy in report["policies"]}


# --- The comparison ----------------------------------------------------------------------------------


def _compare(model, arguments):
    """Rates of each round by name, and each peer's layout."""
    batch = arguments.batch or (128 if model == "mlp" else 256)
    context = multiprocessing.get_context("spawn")
    peers, rates = {}, {}
    for name in arguments.peers:
        peers[name] = _Peer(context, name, model, arguments, batch)
    for _ in range(arguments.rounds):
        turns = {name: peer.turn() for name, peer in peers.items()}
        turns.update(_our_turn(model, arguments, batch))
        for name, rate in turns.items():
            rates.setdefault(name, []).append(rate)
    layouts = {name: peer.layout for name, peer in peers.items()}
    for peer in peers.values():
        peer.close()
    policies = [name for name in rates if name not in peers]
    return {
        "model": model, "batch": batch, "threads": arguments.threads, "layouts": layouts, "rounds": rates,
        "images_per_second": {name: statistics.median(values) for name, values in rates.items()},
        "ratios": {"%s / %s" % (policy, name): statistics.median(a / b for a, b in zip(rates[policy], rates[name]))
                   for policy in policies for name in peers},
    }


def _print(result):
    print("%s, batch %d" % (result["model"], result["batch"]))
    for name, rate in result["images_per_second"].items():
        print("  %-12s %10.1f images/s  %s" % (name, rate, result["layouts"].get(name, "")))
    for name, ratio in result["ratios"].items():
        print("  %-23s %10.2f" % (name, ratio), flush=True)


def _missing(peers):
    """The line that says how to install the first peer that is not there, or None."""
    for peer in peers:
        if peer not in _PEERS:
            return "--peers: unknown name '%s'; use some of %s" % (peer, ", ".join(_PEERS))
        package = "tensorflow" if peer == "keras" else "torch"
        if importlib.util.find_spec(package) is None:
            return "%s is not installed for %s; %s" % (package, sys.executable, _INSTALL[package])
    return None


def main():
    parser = argparse.ArgumentParser(description="Compares training steps of PyTorch with this engine's.")
    parser.add_argument("--models", default=_MODELS, help="names, comma-separated")
    parser.add_argument("--peers", default="torch", type=lambda text: text.split(","), help=", ".join(_PEERS))
    parser.add_argument("--policies", default="FP32,FP16,MP", help="of this engine")
    parser.add_argument("--batch", type=int, default=0, help="examples of a step; 0 takes 256, of the MLP 128")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn, at least one step")
    parser.add_argument("--json", type=pathlib.Path, help="file to write the figures to")
    parser.add_argument("--train_step", default="benchmarks/train_step", help="the binary //benchmarks:train_step")
    arguments = parser.parse_args()
    # bazel run starts this elsewhere.
    folder = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    models = arguments.models.split(",")
    error = _missing(arguments.peers)
    unknown = [model for model in models if model not in _MODELS.split(",")]
    if not error and unknown:
        error = "--models: unknown name '%s'; use some of %s" % (unknown[0], _MODELS)
    if error:
        print("compare_torch: " + error, file=sys.stderr)
        return 2
    results = []
    for model in models:
        results.append(_compare(model, arguments))
        _print(results[-1])
    for name in results[0]["ratios"]:
        print("geometric mean of %s: %.2f" % (name, statistics.geometric_mean(r["ratios"][name] for r in results)))
    if arguments.json:
        (folder / arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
