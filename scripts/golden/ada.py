"""Writes images augmented as StyleGAN2-ADA does, step by step in plain PyTorch, with the draws used.

    python3 scripts/golden/ada.py

From the description in arXiv:2006.06676, Appendix B, independent of Duelo's code: the image is padded by
what the batch needs, doubled, read at a grid, halved; filters are convolutions. The draws stand in the
order in which Duelo asks for them.
"""

import math
from pathlib import Path

import torch
from torch.nn import functional as F
from safetensors import save

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "ada.safetensors"
SYM6 = [0.0154041093, 0.0034907121, -0.1179901111, -0.0483117426, 0.4910559419, 0.787641141,
        0.3379294217, -0.0726375228, -0.0210602925, 0.0447249018, 0.0017677119, -0.0078007083]  # fmt: skip
SYM2 = [-0.1294095226, 0.2241438680, 0.8365163037, 0.4829629131]
P = 0.7


class Draws:
    def __init__(self, n):
        self.n, self.made = n, []

    def keep(self, value):
        self.made.append(value)
        return value

    def uniform(self):
        return self.keep(torch.rand(self.n).double())

    def normal(self, *shape):
        return self.keep(torch.randn(*(shape or (self.n,))).double())

    def maybe(self, value, rest, p=P):
        return torch.where(self.uniform() < p, value, torch.full_like(value, rest))


def mat(n, rows):
    wide = [[e if torch.is_tensor(e) else torch.full([n], float(e)).double() for e in row] for row in rows]
    return torch.stack([torch.stack(row, dim=1) for row in wide], dim=1)


def axis_filter(x, taps, dim, pads):
    """Correlates along one axis with taps [K] or one set a sample [N, K], after padding with zeros."""
    n, c, h, w = x.shape
    shape = (1, -1) if dim == 3 else (-1, 1)
    if taps.dim() == 1:
        taps = taps.expand(n, -1)
    kernel = taps.reshape(n, 1, *shape).repeat_interleave(c, dim=0)
    padded = F.pad(x, (*pads, 0, 0) if dim == 3 else (0, 0, *pads))
    return F.conv2d(padded.reshape(1, n * c, *padded.shape[2:]), kernel, groups=n * c).reshape(n, c, *_size(padded, kernel))


def _size(padded, kernel):
    return padded.shape[2] - kernel.shape[2] + 1, padded.shape[3] - kernel.shape[3] + 1


def geometry(x, d):
    n, _, h, w = x.shape
    G = torch.eye(3).double().expand(n, 3, 3)

    def scale(a, b):
        return mat(n, [[a, 0, 0], [0, b, 0], [0, 0, 1]])

    def turn(t):
        return mat(n, [[t.cos(), -t.sin(), 0], [t.sin(), t.cos(), 0], [0, 0, 1]])

    def back(tx, ty):
        return mat(n, [[1, 0, -tx], [0, 1, -ty], [0, 0, 1]])

    G = G @ scale(1 - 2 * d.maybe((d.uniform() * 2).floor(), 0), 1)
    G = G @ turn(d.maybe((d.uniform() * 4).floor(), 0) * math.pi / 2)
    coin = d.uniform() < P
    tx, ty = (((d.uniform() * 2 - 1) * 0.125 * side).round() * coin for side in (w, h))
    G = G @ back(tx, ty)
    part = 1 - math.sqrt(1 - P)
    s = 2 ** (d.maybe(d.normal(), 0) * 0.2)
    G = G @ scale(1 / s, 1 / s)
    G = G @ turn(d.maybe((d.uniform() * 2 - 1) * math.pi, 0, part))
    s = 2 ** (d.maybe(d.normal(), 0) * 0.2)
    G = G @ scale(1 / s, s)
    G = G @ turn(d.maybe((d.uniform() * 2 - 1) * math.pi, 0, part))
    coin = d.uniform() < P
    tx, ty = (d.normal() * 0.125 * side * coin for side in (w, h))
    G = G @ back(tx, ty)

    taps = torch.tensor(SYM6).double()
    taps = taps / taps.sum()
    cx, cy = (w - 1) / 2, (h - 1) / 2
    corners = torch.tensor([[-cx, -cy, 1], [cx, -cy, 1], [cx, cy, 1], [-cx, cy, 1]]).double().t()
    reach = (G @ corners)[:, :2].abs().amax(dim=(0, 2))  # by the batch; here the same on both sides
    mx = int(min(max(math.ceil(reach[0] + 6 - cx), 0), w - 1))
    my = int(min(max(math.ceil(reach[1] + 6 - cy), 0), h - 1))
    big = F.pad(x, (mx, mx, my, my), mode="reflect")
    spread = big.new_zeros(n, big.shape[1], big.shape[2] * 2, big.shape[3] * 2)
    spread[:, :, ::2, ::2] = big
    for dim in (2, 3):
        spread = axis_filter(spread, taps.flip(0) * 2, dim, (6, 5))
    toH, toW = (h + 6) * 2, (w + 6) * 2
    ys, xs = torch.meshgrid(torch.arange(toH).double(), torch.arange(toW).double(), indexing="ij")
    # centres of the target's pixels in x's pixels about the middle, and back for the source
    at = torch.stack([(xs + 0.5 - toW / 2 + 0.5) / 2, (ys + 0.5 - toH / 2 + 0.5) / 2, torch.ones_like(xs)])
    source = (G @ at.reshape(1, 3, -1))[:, :2] * 2 - 0.5
    H, W = spread.shape[2:]
    grid = torch.stack([source[:, 0] / (W / 2), source[:, 1] / (H / 2)], dim=2).reshape(n, toH, toW, 2)
    read = F.grid_sample(spread, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    for dim in (2, 3):
        read = axis_filter(read, taps, dim, (-1, -1))
    done = read[:, :, ::2, ::2]
    still = (G - torch.eye(3).double()).square().sum(dim=(1, 2)) < 1e-12
    return torch.where(still[:, None, None, None], x, done)


def colour(x, d):
    n, c, h, w = x.shape
    v = torch.tensor([1.0, 1.0, 1.0, 0.0]).double() / math.sqrt(3)
    luma, eye = v[:, None] * v, torch.eye(4).double()
    b = d.maybe(d.normal() * 0.2, 0)
    C = mat(n, [[1, 0, 0, b], [0, 1, 0, b], [0, 0, 1, b], [0, 0, 0, 1]])
    k = 2 ** (d.maybe(d.normal(), 0) * 0.5)
    C = mat(n, [[k, 0, 0, 0], [0, k, 0, 0], [0, 0, k, 0], [0, 0, 0, 1]]) @ C
    C = (eye - 2 * luma * d.maybe((d.uniform() * 2).floor(), 0)[:, None, None]) @ C
    t = d.maybe((d.uniform() * 2 - 1) * math.pi, 0)
    cross = torch.tensor([[0.0, -1, 1, 0], [1, 0, -1, 0], [-1, 1, 0, 0], [0, 0, 0, 0]]).double() / math.sqrt(3)
    flat = torch.diag(torch.tensor([1.0, 1, 1, 0])).double()
    cos, sin = t.cos()[:, None, None], t.sin()[:, None, None]
    C = (luma * (1 - cos) + flat * cos + cross * sin + (eye - flat)) @ C
    s = 2 ** d.maybe(d.normal(), 0)
    C = (luma + (eye - luma) * s[:, None, None]) @ C
    return (C[:, :3, :3] @ x.reshape(n, 3, -1) + C[:, :3, 3:]).reshape(x.shape)


def bank():
    def conv(a, b):
        return F.conv1d(a[None, None], b.flip(0)[None, None], padding=len(b) - 1)[0, 0]

    low = torch.tensor(SYM2).double()
    high = low * torch.tensor([1.0, -1, 1, -1]).double()
    low2, high2 = conv(low, low.flip(0)) / 2, conv(high, high.flip(0)) / 2
    rows = [torch.tensor([float(i == 0)]).double() for i in range(4)]
    for i in range(1, 4):
        wide = []
        for row in rows:
            spread = torch.zeros(2 * len(row) - 1).double()
            spread[::2] = row
            wide.append(conv(spread, low2))
        first = (len(wide[i]) - len(high2)) // 2
        wide[i][first : first + len(high2)] += high2
        rows = wide
    return torch.stack(rows)


def filters(x, d):
    power = torch.tensor([10.0, 1, 1, 1]).double() / 13
    g = torch.ones(len(x), 4).double()
    for i in range(4):
        t = torch.ones(len(x), 4).double()
        t[:, i] = 2 ** d.maybe(d.normal(), 0)
        g = g * t / (power * t**2).sum(dim=1, keepdim=True).sqrt()
    taps = g @ bank()
    m = taps.shape[1] // 2
    for dim in (2, 3):
        pads = (m, m, 0, 0) if dim == 3 else (0, 0, m, m)
        x = axis_filter(mirror(x, pads), taps, dim, (0, 0))
    return x


def mirror(x, pads):
    """Reflection further than the image is wide: in steps."""
    left, _, top, _ = pads
    while left or top:
        a, b = min(left, x.shape[3] - 1), min(top, x.shape[2] - 1)
        x = F.pad(x, (a, a, b, b), mode="reflect")
        left, top = left - a, top - b
    return x


def corrupt(x, d):
    n, _, h, w = x.shape
    sigma = d.maybe(d.normal().abs() * 0.1, 0)
    x = x + d.normal(*x.shape) * sigma[:, None, None, None]
    size = d.maybe(torch.full([n], 0.5).double(), 0)
    inside = []
    for side in (h, w):
        at = (torch.arange(side).double() + 0.5) / side
        inside.append((at - d.uniform()[:, None]).abs() < size[:, None] / 2)
    return x * ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])


def main():
    torch.manual_seed(2)
    x = F.interpolate(torch.randn(6, 3, 4, 4).double(), size=(12, 14), mode="bicubic").requires_grad_(True)
    v = torch.randn(6, 3, 12, 14).double()
    d = Draws(6)
    moved = geometry(x, d)
    done = corrupt(filters(colour(moved, d), d), d)
    (slope,) = torch.autograd.grad((done * v).sum(), x)
    tensors = {"x": x, "v": v, "moved": moved, "done": done, "slope": slope}
    tensors |= {f"draw/{i:02}": value for i, value in enumerate(d.made)}
    save(OUT, {key: value.detach().numpy() for key, value in tensors.items()}, {"p": str(P)})
    print(len(d.made), "draws")


main()
