"""Reads and writes the safetensors format (the README of huggingface/safetensors) with NumPy alone."""

import json
import struct

import numpy as np

_TYPES = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}


def read(path):
    """The tensors by name, in the order of the file."""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[begin:end], _TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def write(path, tensors, metadata):
    """`tensors` by name, stored as f32."""
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name, values in tensors.items():
        values = np.asarray(values, _TYPES["F32"])
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        chunks.append(values.tobytes())
        offset += values.nbytes
    text = json.dumps(header).encode("ascii")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))
