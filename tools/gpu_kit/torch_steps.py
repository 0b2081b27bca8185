"""Times training steps of PyTorch on the GPU, as run_kit asks for them.

A line of JSON on standard input is a question, {"model": "resnet32", "policy": "MP", "batch": 128, "seconds": 0.2};
a line on standard output the answer, {"images_per_second": 1000.0, "form": "CUDA graph"} or {"error": "..."}. Before
the first question it answers with its versions, {"torch": "..."}. Ends at the end of the input.

A step is forward pass, backward pass and SGD with momentum on one batch of noise that lies on the device. FP16 is a
network in half, MP autocast with a scaler of gradients. FP32 is without TF32, like the engine's.
"""

import json
import os
import sys
import time
import traceback


def _network_step(torch, model, policy, batch, device):
    """A function for the gradients, and one for the update."""
    import torch_networks

    torch.manual_seed(1)
    dtype = torch.float16 if policy == "FP16" else torch.float32
    network = torch_networks.build(model).to(device=device, dtype=dtype, memory_format=torch.channels_last).train()
    shape = (batch, 1, 28, 28) if model == "mlp" else (batch, 3, 32, 32)
    images = torch.randn(shape, device=device).to(dtype).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (batch,), device=device)
    try:
        optimizer = torch.optim.SGD(network.parameters(), 1e-3, 0.9, fused=True)
    except (TypeError, RuntimeError):  # PyTorch before 2.3
        optimizer = torch.optim.SGD(network.parameters(), 1e-3, 0.9)
    mixed = policy == "MP"
    amp = torch.amp if hasattr(torch.amp, "GradScaler") else torch.cuda.amp
    scaler = amp.GradScaler(enabled=mixed)

    def gradients():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.float16, enabled=mixed, cache_enabled=False):
            loss = torch.nn.functional.cross_entropy(network(images), labels)
        scaler.scale(loss).backward()

    def update():
        scaler.step(optimizer)
        scaler.update()

    return gradients, update


def _recorded(torch, gradients, update, mixed):
    """The step as a CUDA graph; of the scaler's update alone PyTorch cannot make one."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # as the capture asks for
        for _ in range(3):
            gradients()
            update()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        gradients()
        if not mixed:
            update()
    if not mixed:
        return graph.replay

    def step():
        graph.replay()
        update()

    return step


def _make_step(torch, question, device):
    """A step that is warm, and its form."""
    gradients, update = _network_step(torch, question["model"], question["policy"], question["batch"], device)

    def eager():
        gradients()
        update()

    step, form = eager, "eager"
    if device == "cuda":
        try:
            step, form = _recorded(torch, gradients, update, question["policy"] == "MP"), "CUDA graph"
        except RuntimeError as error:
            print("no CUDA graph of %s: %s" % (question, error), file=sys.stderr)
    for _ in range(2):
        step()
    return step, form


def _rate(step, synchronize, batch, seconds):
    """Images a second over `seconds`, at least one step."""
    synchronize()
    begin, steps, together = time.perf_counter(), 0, 1
    while True:
        for _ in range(together):
            step()
        synchronize()
        steps += together
        took = time.perf_counter() - begin
        if took >= seconds:
            return steps * batch / took
        if 2 * together * took / steps < seconds / 8:  # as //benchmarks:train_step
            together = min(2 * together, 64)


def _answer(torch, steps, question, device):
    key = (question["model"], question["policy"])
    if key not in steps:
        if any(model != question["model"] for model, _ in steps):
            steps.clear()
            torch.cuda.empty_cache()
        steps[key] = _make_step(torch, question, device)
    step, form = steps[key]
    synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None
    return {"images_per_second": _rate(step, synchronize, question["batch"], question["seconds"]), "form": form}


def _prepare(device):
    """PyTorch, and the line that says which; ImportError or RuntimeError where there is none that can be used."""
    import torch
    if device == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("PyTorch %s sees no GPU" % torch.__version__)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return torch, "%s, cuDNN %s" % (torch.__version__, torch.backends.cudnn.version())


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        torch, versions = _prepare(device)
    except (ImportError, OSError, RuntimeError) as error:
        print(json.dumps({"error": str(error)}), file=answers)
        return
    print(json.dumps({"torch": versions}), file=answers)
    steps = {}
    for line in sys.stdin:
        try:
            print(json.dumps(_answer(torch, steps, json.loads(line), device)), file=answers)
        except Exception as error:  # whatever PyTorch's is, it costs this answer alone
            traceback.print_exc()
            print(json.dumps({"error": "%s: %s" % (type(error).__name__, str(error).split("\n")[0])}), file=answers)
            if "CUDA error" in str(error):  # and all that follow, in this process
                return


if __name__ == "__main__":
    main()
