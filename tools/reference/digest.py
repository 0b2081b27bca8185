"""What is kept of a tensor: sum, norm and up to 64 of its elements. tests/model_reference_test.cc does the same."""

import numpy as np

SAMPLES = 64


def sample_indices(size):
    """One element of each of min(64, size) equal parts of the tensor, at varying places of the part."""
    count = min(SAMPLES, size)
    i = np.arange(count)
    begin, end = i * size // count, (i + 1) * size // count
    return begin + i * 40503 % (end - begin)


def digest(tensors):
    """"moments" [tensors, 2] (sum, norm), and the "samples" of all tensors one after another."""
    flat = [np.asarray(values, np.float64).ravel() for values in tensors]
    return {"moments": np.array([(values.sum(), np.linalg.norm(values)) for values in flat]),
            "samples": np.concatenate([values[sample_indices(values.size)] for values in flat])}
