"""BigGAN and BigGAN-deep in plain PyTorch, written from arXiv:1809.11096 and independent of Duelo's code.

The golden files (scripts/golden) hold Duelo to these numbers, the bench peer (peer.py) to their speed.
Names are those of Duelo's state. Images are [N, C, H, W].
"""

import torch
from systems import descend, frozen_statistics, only_passing_through
from torch import nn
from torch.nn import functional as F


class Normalised(nn.Module):
    """A weight over its largest singular value by one power iteration on a kept u."""

    def __init__(self, *shape, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*shape))
        nn.init.orthogonal_(self.weight)
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        self.register_buffer("weight_u", F.normalize(torch.randn(shape[0]), dim=0))
        self.moving = True

    def normal(self):
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            v = matrix.T @ self.weight_u
            v /= v.norm() + 1e-6
            u = matrix @ v
            u /= u.norm() + 1e-6
            if self.moving:
                self.weight_u.copy_(u)
        return self.weight / torch.dot(u, matrix @ v)


class Conv(Normalised):
    def __init__(self, n_in, n_out, k, bias=True):
        super().__init__(n_out, n_in, k, k, bias=bias)

    def forward(self, x):
        return F.conv2d(x, self.normal(), self.bias, padding=self.weight.shape[-1] // 2)


class Dense(Normalised):
    def __init__(self, n_in, n_out, bias=True):
        super().__init__(n_out, n_in, bias=bias)

    def forward(self, x):
        return F.linear(x, self.normal(), self.bias)


class Table(Normalised):
    def __init__(self, count, width):
        super().__init__(count, width, bias=False)

    def forward(self, y):
        return F.embedding(y, self.normal())


class ConditionalNorm(nn.BatchNorm2d):
    """Batch norm with gain 1 + W c and shift V c."""

    def __init__(self, channels, condition, eps):
        super().__init__(channels, eps=eps, affine=False)
        del self._parameters["bias"]
        self.gain = Dense(condition, channels, bias=False)
        self.bias = Dense(condition, channels, bias=False)

    def forward(self, x, c):
        plain = F.batch_norm(x, self.running_mean, self.running_var, None, None, True, self.momentum, self.eps)
        return plain * (1 + self.gain(c))[..., None, None] + self.bias(c)[..., None, None]


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.theta, self.phi = Conv(c, max(c // 8, 1), 1, False), Conv(c, max(c // 8, 1), 1, False)
        self.g, self.o = Conv(c, max(c // 2, 1), 1, False), Conv(max(c // 2, 1), c, 1, False)
        self.gamma = nn.Parameter(torch.zeros([]))

    def forward(self, x):
        n, _, h, w = x.shape
        theta = self.theta(x).flatten(2)
        phi = F.max_pool2d(self.phi(x), 2).flatten(2)
        g = F.max_pool2d(self.g(x), 2).flatten(2)
        beta = torch.softmax(torch.bmm(theta.transpose(1, 2), phi), dim=-1)
        seen = torch.bmm(g, beta.transpose(1, 2)).view(n, -1, h, w)
        return self.gamma * self.o(seen) + x


def up(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


class GBlock(nn.Module):
    def __init__(self, n_in, n_out, condition):
        super().__init__()
        self.bn1, self.bn2 = ConditionalNorm(n_in, condition, 1e-5), ConditionalNorm(n_out, condition, 1e-5)
        self.conv1, self.conv2 = Conv(n_in, n_out, 3), Conv(n_out, n_out, 3)
        self.shortcut = Conv(n_in, n_out, 1)

    def forward(self, x, c):
        h = self.conv1(up(self.bn1(x, c).relu()))
        return self.conv2(self.bn2(h, c).relu()) + self.shortcut(up(x))


class DeepGBlock(nn.Module):
    def __init__(self, n_in, n_out, condition, larger):
        super().__init__()
        narrow = n_in // 4
        widths = [n_in, narrow, narrow, narrow, n_out]
        for k in range(4):
            setattr(self, f"bn{k + 1}", ConditionalNorm(widths[k], condition, 1e-4))
            setattr(self, f"conv{k + 1}", Conv(widths[k], widths[k + 1], 3 if k in (1, 2) else 1))
        self.n_out, self.larger = n_out, larger

    def forward(self, x, c):
        h = x
        for k in range(1, 5):
            h = getattr(self, f"bn{k}")(h, c).relu()
            h = getattr(self, f"conv{k}")(up(h) if self.larger and k == 2 else h)
        past = x[:, : self.n_out]
        return h + (up(past) if self.larger else past)


class DBlock(nn.Module):
    def __init__(self, n_in, n_out, *, first, down):
        super().__init__()
        self.conv1, self.conv2 = Conv(n_in, n_out, 3), Conv(n_out, n_out, 3)
        if n_in != n_out or down:
            self.shortcut = Conv(n_in, n_out, 1)
        self.first, self.down = first, down

    def forward(self, x):
        half = (lambda t: F.avg_pool2d(t, 2)) if self.down else (lambda t: t)
        h = half(self.conv2(self.conv1(x if self.first else x.relu()).relu()))
        if not hasattr(self, "shortcut"):
            return h + x
        return h + (self.shortcut(half(x)) if self.first else half(self.shortcut(x)))


class DeepDBlock(nn.Module):
    def __init__(self, n_in, n_out, down):
        super().__init__()
        narrow = n_out // 4
        self.conv1, self.conv4 = Conv(n_in, narrow, 1), Conv(narrow, n_out, 1)
        self.conv2, self.conv3 = Conv(narrow, narrow, 3), Conv(narrow, narrow, 3)
        if n_out > n_in:
            self.shortcut = Conv(n_in, n_out - n_in, 1)
        self.down = down

    def forward(self, x):
        half = (lambda t: F.avg_pool2d(t, 2)) if self.down else (lambda t: t)
        h = self.conv3(self.conv2(self.conv1(x.relu()).relu()).relu())
        h, past = self.conv4(half(h.relu())), half(x)
        return h + (torch.cat([past, self.shortcut(past)], 1) if hasattr(self, "shortcut") else past)


class Head(nn.Sequential):
    def __init__(self, n_in, n_out, eps):
        super().__init__(nn.BatchNorm2d(n_in, eps=eps), nn.ReLU(), Conv(n_in, n_out, 3))


class Generator(nn.Module):
    """`widths`: channels of each map; `attend`: the block after which places attend to each other, or None."""

    def __init__(self, *, widths, z, embedding, classes, attend, channels=3, deep=False):
        super().__init__()
        self.deep, self.attend, self.channels, self.base = deep, attend, channels, widths[0]
        self.parts = len(widths)
        part = z if deep else z // self.parts
        condition = part + embedding
        self.shared = nn.Embedding(classes, embedding)
        self.linear = Dense(condition if deep else part, widths[0] * 16)
        for k, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
            if deep:
                setattr(self, f"block{k}a", DeepGBlock(n_in, n_in, condition, False))
                setattr(self, f"block{k}b", DeepGBlock(n_in, n_out, condition, True))
            else:
                setattr(self, f"block{k}", GBlock(n_in, n_out, condition))
            if k == attend:
                self.attention = Attention(n_out)
        self.head = Head(widths[-1], widths[-1] if deep else channels, 1e-4 if deep else 1e-5)

    def forward(self, z, y):
        e = self.shared(y)
        if self.deep:
            first, told = torch.cat([z, e], 1), [torch.cat([z, e], 1)] * (self.parts - 1)
        else:
            first, *rest = z.chunk(self.parts, dim=1)
            told = [torch.cat([e, part], 1) for part in rest]
        h = self.linear(first).view(-1, self.base, 4, 4)
        for k, c in enumerate(told):
            names = [f"block{k}a", f"block{k}b"] if self.deep else [f"block{k}"]
            for name in names:
                h = getattr(self, name)(h, c)
            if k == self.attend:
                h = self.attention(h)
        return torch.tanh(self.head(h)[:, : self.channels])

    def skew(self):
        """Sum of |W W^T (1 - I)|^2 over the normalised layers' weights as they are kept."""
        total = 0
        for m in self.modules():
            if isinstance(m, Normalised):
                gram = m.weight.flatten(1) @ m.weight.flatten(1).T
                total = total + (gram * (1 - torch.eye(len(gram), dtype=gram.dtype))).square().sum()
        return total


class Discriminator(nn.Module):
    """`widths`: of each block (deep: of the stem and each pair of blocks); the first `n_down` halve the size."""

    def __init__(self, *, widths, n_down, classes, attend, channels=3, deep=False):
        super().__init__()
        self.names, self.attend = [], attend
        if deep:
            self.stem = Conv(channels, widths[0], 3)
            pairs = list(zip(widths, widths[1:]))
        else:
            pairs = list(zip([channels, *widths], widths))
        for k, (n_in, n_out) in enumerate(pairs):
            if deep:
                setattr(self, f"block{k}a", DeepDBlock(n_in, n_out, True))
                setattr(self, f"block{k}b", DeepDBlock(n_out, n_out, False))
            else:
                setattr(self, f"block{k}", DBlock(n_in, n_out, first=k == 0, down=k < n_down))
            self.names.append([f"block{k}a", f"block{k}b"] if deep else [f"block{k}"])
            if k == attend:
                self.attention = Attention(n_out)
        self.linear, self.embed = Dense(widths[-1], 1), Table(classes, widths[-1])

    def forward(self, x, y):
        h = self.stem(x) if hasattr(self, "stem") else x
        for k, names in enumerate(self.names):
            for name in names:
                h = getattr(self, name)(h)
            if k == self.attend:
                h = self.attention(h)
        h = h.relu().sum(dim=(2, 3))
        return self.linear(h) + (self.embed(y) * h).sum(dim=1, keepdim=True)


def hold(net):
    """Holds the power iterations of a net, or lets them go on."""
    for m in net.modules():
        if isinstance(m, Normalised):
            m.moving = not m.moving


def D_step(G, D, optim, x, y, z, y_fake):
    hold(G)
    with torch.no_grad(), frozen_statistics(G):
        fake = G(z, y_fake)
    hold(G)
    loss = F.relu(1 - D(x, y)).mean() + F.relu(1 + D(fake, y_fake)).mean()
    descend(optim, loss)
    return loss.detach()


def G_step(G, D, optim, z, y_fake, ortho):
    hold(D)
    with only_passing_through(D):
        loss = -D(G(z, y_fake), y_fake).mean()
        if ortho:
            loss = loss + ortho * G.skew()
        descend(optim, loss)
    hold(D)
    return loss.detach()
