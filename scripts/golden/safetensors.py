"""Writes the safetensors format: header length, JSON header, data, all little-endian."""

import json
import struct

import numpy as np


def save(path, tensors, metadata):
    """tensors: name to array, stored as F32; metadata: string to string."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, value in tensors.items():
        # Not ascontiguousarray: it would turn a scalar into a vector of one.
        blob = np.asarray(value, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(value)), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
