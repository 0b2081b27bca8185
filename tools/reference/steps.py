"""One training step of a reference case (tools/reference/case.h) in Keras and in PyTorch.

A step is a dictionary: "logits" in inference, "training_logits", "loss" (mean over the batch), and
"results", by parameter the gradient of the loss, or for a moving statistic its value after the step, in the
layout of our graph; last in the list stands the gradient of the images.
"""

import numpy as np


def parameters_of(case):
    return [values for name, values in case.items() if name not in ("images", "labels")]


# --- Keras -------------------------------------------------------------------------------------------


def keras_step(name, case, floatx):
    """The step, and the variables as Keras initialises them, in Keras' arithmetic `floatx`."""
    import tensorflow as tf

    import keras_networks

    tf.keras.backend.clear_session()
    tf.keras.backend.set_floatx(floatx)
    tf.keras.utils.set_random_seed(1)
    model, variables = keras_networks.build(name, dropout=False)
    initial = [variable.numpy() for variable in variables]
    values = parameters_of(case)
    if len(values) != len(variables):
        raise ValueError("%s: %d parameters here, %d in Keras" % (name, len(values), len(variables)))
    for variable, value in zip(variables, values):
        # A 1 x 1 kernel or one of attention has the same elements in the same order.
        if np.squeeze(value).shape != np.squeeze(variable).shape and "multi_head" not in variable.name:
            raise ValueError("%s: %s is %s here, %s in Keras" % (name, variable.name, value.shape, variable.shape))
        variable.assign(value.reshape(variable.shape).astype(floatx))

    images = tf.constant(case["images"].astype(floatx))
    logits = model(images, training=False)
    trainable = [variable for variable in variables if variable.trainable]
    with tf.GradientTape() as tape:
        tape.watch(images)
        training_logits = model(images, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(case["labels"], training_logits))
    gradients = tape.gradient(loss, [*trainable, images])
    by_variable = {id(variable): tf.convert_to_tensor(g).numpy() for variable, g in zip(trainable, gradients)}
    results = [by_variable.get(id(variable), variable.numpy()) for variable in variables]
    step = {"logits": logits.numpy(), "training_logits": training_logits.numpy(), "loss": loss.numpy(),
            "results": [*results, gradients[-1].numpy()]}
    return step, initial


# --- PyTorch -----------------------------------------------------------------------------------------


def _to_torch(values, shape):
    """A kernel [h, w, in, out] or [h, w, in, 1] or [in, out] as PyTorch has it."""
    if values.ndim == 4:
        depthwise = values.shape[3] == 1 and shape[1] == 1
        values = values.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
    elif values.ndim == 2 and len(shape) == 2 and not _is_embedding(values.shape):
        values = values.T
    return np.ascontiguousarray(values)


def _from_torch(values, shape):
    if len(shape) == 4:
        depthwise = shape[3] == 1 and values.shape[1] == 1
        return values.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return values.T if len(shape) == 2 and not _is_embedding(shape) else values


def _is_embedding(shape):
    return shape == (25, 64)


def torch_step(name, case):
    """The step in f64."""
    import torch

    import torch_networks

    model = torch_networks.build(name, dropout=False).double()
    variables = torch_networks.variables(model)
    values = parameters_of(case)
    with torch.no_grad():
        for variable, value in zip(variables, values, strict=True):
            variable.copy_(torch.from_numpy(_to_torch(value, tuple(variable.shape)).astype(np.float64)))
    images = torch.from_numpy(case["images"].astype(np.float64)).permute(0, 3, 1, 2).requires_grad_()
    labels = torch.from_numpy(case["labels"].copy())

    with torch.no_grad():
        logits = model.eval()(images)
    training_logits = model.train()(images)
    loss = torch.nn.functional.cross_entropy(training_logits, labels)
    loss.backward()
    results = []
    for variable, value in zip(variables, values):
        # Moving statistics are buffers, which have no gradient.
        result = variable.grad if variable.requires_grad else variable
        results.append(_from_torch(result.numpy(), value.shape))
    return {"logits": logits.numpy(), "training_logits": training_logits.detach().numpy(), "loss": loss.item(),
            "results": [*results, images.grad.permute(0, 2, 3, 1).numpy()]}
