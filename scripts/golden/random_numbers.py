"""Writes test/golden/random.safetensors: random numbers of a few keys, made a second time.

    python3 scripts/golden/random_numbers.py

Philox4x32-10 and sfc32 from their definitions in whole numbers, the ziggurat's table from SciPy's erfc,
everything value by value, so that nothing is shared with packages/train but the formulas.
"""

import math
from pathlib import Path

import numpy as np
from safetensors import save
from scipy.special import erfc

ROOT = Path(__file__).resolve().parents[2]
WORD = 2**32
KEYS = {"small": (1, 2, 3), "large": (5 * WORD + 7, WORD - 2, 2 * WORD + 9), "long": (0, 0, 0)}
LENGTHS = {"small": 500, "large": 500, "long": 8000}


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b // WORD) ^ c[1] ^ k[0], b % WORD, (a // WORD) ^ c[3] ^ k[1], a % WORD]
        k = [(k[0] + 0x9E3779B9) % WORD, (k[1] + 0xBB67AE85) % WORD]
    return c


def sfc32(state):
    a, b, c, d = state
    while True:
        word = (a + b + d) % WORD
        d = (d + 1) % WORD
        a, b = b ^ (b >> 9), (c + (c << 3)) % WORD
        c = (((c << 21) | (c >> 11)) + word) % WORD
        yield word


def generator(seed, stream, counter, index):
    state = philox([index, counter % WORD, counter // WORD, stream], [seed % WORD, seed // WORD])
    return sfc32(state)


def f(x):
    return math.exp(-x * x / 2)


def table():
    """Edges of 256 layers of equal area under f, by bisection on the first."""

    def edges(r):
        v = r * f(r) + math.sqrt(math.pi / 2) * erfc(r / math.sqrt(2))
        edge = [v / f(r), r]
        while len(edge) < 256:
            height = v / edge[-1] + f(edge[-1])
            if height >= 1:
                return None, edge
            edge.append(math.sqrt(-2 * math.log(height)))
        return v / edge[-1] + f(edge[-1]), [*edge, 0.0]

    low, high = 3.0, 4.0
    for _ in range(100):
        middle = (low + high) / 2
        top, _ = edges(middle)
        low, high = (middle, high) if top is None or top > 1 else (low, middle)
    return edges(high)[1]


def normals(key, n, edge):
    words, more = generator(*key, 0), generator(*key, 1)
    unit = lambda: (next(more) + 0.5) / WORD
    out = []
    for _ in range(n):
        word = next(words)
        while True:
            layer = word % 256
            signed = (word >> 8) - (2**24 if word >= 2**31 else 0)
            x = (signed + 0.5) / 2**23 * edge[layer]
            if abs(x) < edge[layer + 1]:
                break
            if layer == 0:
                r = edge[1]
                while True:
                    e, g = -math.log(unit()) / r, -math.log(unit())
                    if 2 * g > e * e:
                        break
                x = math.copysign(r + e, x)
                break
            y = f(edge[layer]) + unit() * (f(edge[layer + 1]) - f(edge[layer]))
            if y < f(x):
                break
            word = next(more)
        out.append(x)
    return out


def ints(key, n, below):
    words, more = generator(*key, 0), generator(*key, 1)
    return [(next(words) * 2**21 + (next(more) >> 11)) * below // 2**53 for _ in range(n)]


def uniforms(key, n):
    words = generator(*key, 0)
    return [(next(words) >> 8) / 2**24 for _ in range(n)]


def main():
    edge, tensors = table(), {}
    for name, key in KEYS.items():
        n = LENGTHS[name]
        tensors[f"{name}/normal"] = np.array(normals(key, n, edge))
        tensors[f"{name}/uniform"] = np.array(uniforms(key, 500))
        tensors[f"{name}/ints"] = np.array(ints(key, 500, 1_000_003))
    beyond = sum(abs(x) > edge[1] for x in tensors["long/normal"])
    print(f"r {edge[1]!r}, {beyond} of the long key's values lie in the tail")
    save(ROOT / "test" / "golden" / "random.safetensors", tensors, {})


main()
