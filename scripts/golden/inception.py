"""Writes test/golden/inception.json: what the classic Inception network makes of two pictures of a formula
with weights of a formula, and what TensorFlow 1's bilinear resize makes of a small picture.

    /usr/bin/python3 scripts/golden/inception.py

PyTorch 1.13 and numpy of Debian 12, a minute. The network is written here layer by layer in float64, with
batch norm as it stands and padded means by `count_include_pad=False`; nothing is folded. The weights
are random because the real ones are not ours to ship: this checks the arithmetic, not the training.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

FILE = Path(__file__).resolve().parents[2] / "test" / "golden" / "inception.json"
SIZE = 139
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def uniform(name, shape):
    """Numbers from -1 to 1 that a name and a place alone decide: murmur's finisher of the place."""
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(zlib.crc32(name.encode()))
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x.astype(np.float64) / 2**31 - 1).astype(np.float32).reshape(shape)


def as_tensor(x):
    return torch.from_numpy(np.asarray(x, dtype=np.float32).astype(np.float64))


units = {}


def unit(name, out, kernel, x, stride=1, pad=(0, 0)):
    shape = [out, x.shape[1], *kernel]
    units[name] = shape
    fan_in = shape[1] * shape[2] * shape[3]
    u = lambda part, dims: uniform(f"{name}.{part}", dims)
    w = as_tensor(u("conv.weight", shape) * np.float32(np.sqrt(6 / fan_in)))
    gamma = as_tensor(1 + np.float32(0.2) * u("bn.weight", [out]))
    beta = as_tensor(np.float32(0.1) * u("bn.bias", [out]))
    mean = as_tensor(np.float32(0.1) * u("bn.running_mean", [out]))
    var = as_tensor(1 + np.float32(0.5) * u("bn.running_var", [out]))
    y = F.conv2d(x, w, stride=stride, padding=pad)
    return F.relu(F.batch_norm(y, mean, var, gamma, beta, training=False, eps=1e-3))


def mean3(x):
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def halve(x):
    return F.max_pool2d(x, 3, stride=2)


def five(name, x, pool):
    a = unit(f"{name}.branch1x1", 64, (1, 1), x)
    b = unit(f"{name}.branch5x5_1", 48, (1, 1), x)
    b = unit(f"{name}.branch5x5_2", 64, (5, 5), b, pad=(2, 2))
    c = unit(f"{name}.branch3x3dbl_1", 64, (1, 1), x)
    c = unit(f"{name}.branch3x3dbl_2", 96, (3, 3), c, pad=(1, 1))
    c = unit(f"{name}.branch3x3dbl_3", 96, (3, 3), c, pad=(1, 1))
    return torch.cat([a, b, c, unit(f"{name}.branch_pool", pool, (1, 1), mean3(x))], 1)


def six_a(x):
    a = unit("Mixed_6a.branch3x3", 384, (3, 3), x, stride=2)
    b = unit("Mixed_6a.branch3x3dbl_1", 64, (1, 1), x)
    b = unit("Mixed_6a.branch3x3dbl_2", 96, (3, 3), b, pad=(1, 1))
    b = unit("Mixed_6a.branch3x3dbl_3", 96, (3, 3), b, stride=2)
    return torch.cat([a, b, halve(x)], 1)


def six(name, x, c7):
    wide, tall = dict(kernel=(1, 7), pad=(0, 3)), dict(kernel=(7, 1), pad=(3, 0))
    a = unit(f"{name}.branch1x1", 192, (1, 1), x)
    b = unit(f"{name}.branch7x7_1", c7, (1, 1), x)
    b = unit(f"{name}.branch7x7_2", c7, x=b, **wide)
    b = unit(f"{name}.branch7x7_3", 192, x=b, **tall)
    c = unit(f"{name}.branch7x7dbl_1", c7, (1, 1), x)
    c = unit(f"{name}.branch7x7dbl_2", c7, x=c, **tall)
    c = unit(f"{name}.branch7x7dbl_3", c7, x=c, **wide)
    c = unit(f"{name}.branch7x7dbl_4", c7, x=c, **tall)
    c = unit(f"{name}.branch7x7dbl_5", 192, x=c, **wide)
    return torch.cat([a, b, c, unit(f"{name}.branch_pool", 192, (1, 1), mean3(x))], 1)


def seven_a(x):
    a = unit("Mixed_7a.branch3x3_1", 192, (1, 1), x)
    a = unit("Mixed_7a.branch3x3_2", 320, (3, 3), a, stride=2)
    b = unit("Mixed_7a.branch7x7x3_1", 192, (1, 1), x)
    b = unit("Mixed_7a.branch7x7x3_2", 192, (1, 7), b, pad=(0, 3))
    b = unit("Mixed_7a.branch7x7x3_3", 192, (7, 1), b, pad=(3, 0))
    b = unit("Mixed_7a.branch7x7x3_4", 192, (3, 3), b, stride=2)
    return torch.cat([a, b, halve(x)], 1)


def seven(name, x, pooled):
    a = unit(f"{name}.branch1x1", 320, (1, 1), x)
    b = unit(f"{name}.branch3x3_1", 384, (1, 1), x)
    b = [
        unit(f"{name}.branch3x3_2a", 384, (1, 3), b, pad=(0, 1)),
        unit(f"{name}.branch3x3_2b", 384, (3, 1), b, pad=(1, 0)),
    ]
    c = unit(f"{name}.branch3x3dbl_1", 448, (1, 1), x)
    c = unit(f"{name}.branch3x3dbl_2", 384, (3, 3), c, pad=(1, 1))
    c = [
        unit(f"{name}.branch3x3dbl_3a", 384, (1, 3), c, pad=(0, 1)),
        unit(f"{name}.branch3x3dbl_3b", 384, (3, 1), c, pad=(1, 0)),
    ]
    return torch.cat([a, *b, *c, unit(f"{name}.branch_pool", 192, (1, 1), pooled)], 1)


def network(x):
    x = (x - 128) / 128
    x = unit("Conv2d_1a_3x3", 32, (3, 3), x, stride=2)
    x = unit("Conv2d_2a_3x3", 32, (3, 3), x)
    x = halve(unit("Conv2d_2b_3x3", 64, (3, 3), x, pad=(1, 1)))
    x = unit("Conv2d_3b_1x1", 80, (1, 1), x)
    x = halve(unit("Conv2d_4a_3x3", 192, (3, 3), x))
    for name, pool in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)]:
        x = five(name, x, pool)
    x = six_a(x)
    for name, c7 in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)]:
        x = six(name, x, c7)
    x = seven_a(x)
    x = seven("Mixed_7b", x, mean3(x))
    x = seven("Mixed_7c", x, F.max_pool2d(x, 3, stride=1, padding=1))
    features = x.mean([2, 3])
    fc = as_tensor(uniform("fc.weight", [1008, 2048]) * np.float32(np.sqrt(6 / 2048)))
    return features, features @ fc.T


def resized(picture, height, width):
    """Pixel by pixel: output (i, j) lies at (i * h / height, j * w / width)."""
    h, w = picture.shape
    out = np.zeros([height, width])
    for i in range(height):
        for j in range(width):
            y, x = i * h / height, j * w / width
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            top = picture[y0, x0] + (picture[y0, x1] - picture[y0, x0]) * (x - x0)
            low = picture[y1, x0] + (picture[y1, x1] - picture[y1, x0]) * (x - x0)
            out[i, j] = top + (low - top) * (y - y0)
    return out


pictures = 127.5 + 127.5 * uniform("pictures", [2, 3, SIZE, SIZE]).astype(np.float64)
features, logits = network(torch.from_numpy(pictures))
small = np.round(127.5 + 127.5 * uniform("small", [6, 9]).astype(np.float64))


def figures(rows):
    return [float(f"{v:.9g}") for v in np.asarray(rows).ravel()]


golden = {
    "size": SIZE,
    "units": units,
    "features": [figures(row[:64]) for row in features],
    "featureSums": figures(features.sum(1)),
    "featureSquares": figures((features**2).sum(1)),
    "logits": [figures(row[:32]) for row in logits],
    "logitSquares": figures((logits**2).sum(1)),
    "small": small.astype(int).tolist(),
    "larger": figures(resized(small, 8, 11)),
    "smaller": figures(resized(small, 4, 5)),
}
FILE.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(features.mean(), features.std(), FILE.stat().st_size)
