"""Systems that make training steady, in plain PyTorch, written from the papers and independent of Duelo.

The golden files (scripts/golden) hold Duelo to these numbers. Layer names are those of the state dicts.
"""

import torch
from systems import bce, descend, frozen_statistics, only_passing_through
from torch import nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, interpolate, leaky_relu, pad, softplus
from torch.nn.utils.stateless import functional_call


def bce_real(logits):
    return bce(logits, torch.ones_like(logits))


def bce_fake(logits):
    return bce(logits, torch.zeros_like(logits))


def alternate(G, D, optims, x, z, *, lossD, lossG, seen=lambda x: x):
    """D on data and on samples in two passes, then G on the same samples through the updated D."""
    fake = G(z)
    real_score = D(seen(x))
    loss_d = lossD(real_score, D(seen(fake.detach())))
    descend(optims["D"], loss_d)
    with only_passing_through(D):
        loss_g = lossG(D(seen(fake)))
        descend(optims["G"], loss_g)
    return {"loss.D": loss_d.detach(), "loss.G": loss_g.detach()}


def sampled(G, z):
    """Samples for D alone: G and its statistics stay."""
    with torch.no_grad(), frozen_statistics(G):
        return G(z)


# WGAN, arXiv:1701.07875, Algorithm 1 ---------------------------------------------------------------


def clipped_critic_step(G, D, optim, x, z, *, bound):
    fake = sampled(G, z)
    real_score = D(x).mean()
    loss = D(fake).mean() - real_score
    descend(optim, loss)
    with torch.no_grad():
        for p in D.parameters():
            p.clamp_(-bound, bound)
    return loss.detach()


# PacGAN, arXiv:1712.04086 --------------------------------------------------------------------------


def packed(x, pack):
    """Neighbours of the batch as one, channel after channel."""
    return torch.stack([torch.cat(list(group), dim=0) for group in x.split(pack)])


class Maxout(nn.Module):
    def __init__(self, n_in, units, pieces):
        super().__init__()
        self.units, self.pieces = units, pieces
        self.weight = nn.Parameter(torch.empty(units * pieces, n_in))
        self.bias = nn.Parameter(torch.empty(units * pieces))

    def forward(self, x):
        return (x @ self.weight.T + self.bias).view(-1, self.units, self.pieces).amax(dim=2)


# Unrolled GAN, arXiv:1611.02163 --------------------------------------------------------------------


class OpenAdam:
    """Adam as a function of its state, so that a gradient can flow through its steps."""

    def __init__(self, net, lr, betas, eps=1e-8, eps_root=1e-16):
        self.lr, self.betas, self.eps, self.eps_root = lr, betas, eps, eps_root
        zeros = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
        self.state = (0, zeros, zeros)

    def step(self, params, loss, state, create_graph):
        t, m, v = state
        grads = torch.autograd.grad(loss, list(params.values()), create_graph=create_graph)
        g = dict(zip(params, grads))
        b1, b2 = self.betas
        t += 1
        m = {k: b1 * m[k] + (1 - b1) * g[k] for k in params}
        v = {k: b2 * v[k] + (1 - b2) * g[k] ** 2 for k in params}
        c1, c2 = 1 - b1**t, 1 - b2**t
        moved = {
            k: p - self.lr * (m[k] / c1) / (((v[k] + self.eps_root) / c2).sqrt() + self.eps) for k, p in params.items()
        }
        return moved, (t, m, v)


def unrolled_step(G, D, adam, optimG, x, z, *, steps, lossG):
    """One ordinary step of D, and one of G against the D of `steps` steps later; both from the same forward pass."""
    fake = G(z)
    params = dict(D.named_parameters())

    def loss_of(weights, sample):
        def score(inputs):
            return functional_call(D, weights, (inputs,))

        return bce_real(score(x)) + bce_fake(score(sample))

    loss_d = loss_of(params, fake.detach())
    moved, state = adam.step(params, loss_d, adam.state, create_graph=False)
    with frozen_statistics(D):
        ahead, later = params, adam.state
        for _ in range(steps):
            ahead, later = adam.step(ahead, loss_of(ahead, fake), later, create_graph=True)
        if lossG == "minimax":
            loss_g = -loss_of(ahead, fake)
        else:
            loss_g = bce_real(functional_call(D, ahead, (fake,)))
    grads = torch.autograd.grad(loss_g, list(G.parameters()))
    for p, g in zip(G.parameters(), grads):
        p.grad = g
    optimG.step()
    with torch.no_grad():
        for name, p in D.named_parameters():
            p.copy_(moved[name])
        adam.state = (state[0], *({k: t.detach() for k, t in part.items()} for part in state[1:]))
    return {"loss.D": loss_d.detach(), "loss.G": loss_g.detach()}


# SNGAN, arXiv:1802.05957, and the projection D, arXiv:1802.05637 -----------------------------------


class Normalised(nn.Module):
    """A convolution (k > 0), a dense layer (k = 0) or a table (k = None) whose matrix has spectral norm 1."""

    def __init__(self, n_in, n_out, k):
        super().__init__()
        self.k = k
        self.weight = nn.Parameter(torch.empty(n_out, n_in, *([k, k] if k else [])))
        if k is not None:
            self.bias = nn.Parameter(torch.empty(n_out))
        self.register_buffer("weight_u", torch.empty(n_out))
        self.moving = True

    def forward(self, x):
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            v = matrix.T @ self.weight_u
            v = v / (v.norm() + 1e-12)
            u = matrix @ v
            u = u / (u.norm() + 1e-12)
            if self.moving:
                self.weight_u.copy_(u)
        w = self.weight / (u @ matrix @ v)
        if self.k is None:
            return w[x]
        return conv2d(x, w, self.bias, padding=self.k // 2) if self.k else x @ w.T + self.bias


class Block(nn.Module):
    """x + f(x) with the names of Duelo's `residual`: body.i and, where the widths differ, shortcut.i."""

    def __init__(self, body, shortcut=()):
        super().__init__()
        self.body = nn.ModuleList(body)
        if shortcut:
            self.shortcut = nn.ModuleList(shortcut)

    def forward(self, x, *condition):
        def through(layers, y):
            for layer in layers:
                y = layer(y, *condition) if isinstance(layer, ClassNorm) else layer(y)
            return y

        return through(self.body, x) + (through(self.shortcut, x) if hasattr(self, "shortcut") else x)


class Do(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


class ClassNorm(nn.BatchNorm2d):
    """Batch norm whose gain 1 + gain_y and shift bias_y are rows of two tables."""

    def __init__(self, channels, classes):
        super().__init__(channels, eps=2e-5, affine=False)
        del self._parameters["bias"]
        self.gain = nn.Embedding(classes, channels)
        self.bias = nn.Embedding(classes, channels)

    def forward(self, x, y):
        plain = batch_norm(x, self.running_mean, self.running_var, None, None, True, self.momentum, self.eps)
        return plain * (1 + self.gain(y))[..., None, None] + self.bias(y)[..., None, None]


def relu():
    return nn.ReLU()


def twice():
    return Do(lambda x: interpolate(x, scale_factor=2, mode="nearest"))


def half():
    return Do(lambda x: avg_pool2d(x, 2))


class SnG(nn.Module):
    """Two levels from 4x4 to 16x16. Layers are numbered as in a chain with a reshape in second place."""

    def __init__(self, z, width, channels, classes):
        super().__init__()

        def norm():
            return ClassNorm(width, classes) if classes else nn.BatchNorm2d(width, eps=2e-5)

        def conv(n_out=width, k=3):
            return nn.Conv2d(width, n_out, k, padding=k // 2)

        def up():
            return Block([norm(), relu(), twice(), conv(), norm(), relu(), conv()], [twice(), conv(k=1)])

        self.width = width
        chain = [nn.Linear(z, width * 16), nn.Identity(), up(), up(), norm(), relu(), conv(channels)]
        for i, layer in enumerate(chain):
            self.add_module(str(i), layer)

    def forward(self, z, *y):
        h = self._modules["0"](z).view(-1, self.width, 4, 4)
        for i in (2, 3, 4):
            layer = self._modules[str(i)]
            h = layer(h, *y) if isinstance(layer, (Block, ClassNorm)) else layer(h)
        return self._modules["6"](h.relu()).tanh()


class SnD(nn.Module):
    def __init__(self, width, channels, classes):
        super().__init__()

        def conv(n_in=width, k=3):
            return Normalised(n_in, width, k)

        self.features = nn.ModuleList(
            [
                Block([conv(channels), relu(), conv(), half()], [half(), conv(channels, 1)]),
                Block([relu(), conv(), relu(), conv()]),
                Block([relu(), conv(), relu(), conv()]),
            ]
        )
        self.score = Normalised(width, 1, 0)
        if classes:
            self.add_module("class", Normalised(width, classes, None))

    def forward(self, x, *y):
        for block in self.features:
            x = block(x)
        phi = x.relu().sum(dim=(2, 3))
        psi = self.score(phi)[:, 0]
        return psi + (self._modules["class"](y[0]) * phi).sum(dim=1) if y else psi


def still(D):
    """D's power iterations stay where they are, as in a pass that trains G."""
    for m in D.modules():
        if isinstance(m, Normalised):
            m.moving = not m.moving


def sn_steps(G, D, optims, given, critics):
    """G first, on its own larger batch; then D."""
    losses = {}
    still(D)
    with only_passing_through(D):
        loss = -D(G(given["z.0"], *given["y.0"]), *given["y.0"]).mean()
        descend(optims["G"], loss)
    still(D)
    losses["loss.G"] = loss.detach()
    for k in range(1, critics + 1):
        with torch.no_grad(), frozen_statistics(G):
            fake = G(given[f"z.{k}"], *given[f"yFake.{k}"])
        real_score = D(given[f"x.{k}"], *given[f"y.{k}"])
        fake_score = D(fake, *given[f"yFake.{k}"])
        loss = (1 - real_score).relu().mean() + (1 + fake_score).relu().mean()
        descend(optims["D"], loss)
        losses[f"loss.D.{k}"] = loss.detach()
    return losses


# R3GAN, arXiv:2501.05441 ---------------------------------------------------------------------------


def pairing(better, worse):
    return softplus(worse - better).mean()


def squared_slope(D, at):
    at = at.detach().requires_grad_(True)
    (g,) = torch.autograd.grad(D(at).sum(), at, create_graph=True)
    return g.square().flatten(1).sum(dim=1).mean()


def r3gan_steps(G, D, optims, xs, zs, gamma):
    with torch.no_grad():
        fake = G(zs[0])
    loss_d = pairing(D(xs[0]), D(fake)) + gamma / 2 * (squared_slope(D, xs[0]) + squared_slope(D, fake))
    descend(optims["D"], loss_d)
    loss_g = pairing(D(G(zs[1])), D(xs[1]))
    optims["G"].zero_grad()
    loss_g.backward(inputs=list(G.parameters()))
    optims["G"].step()
    return {"loss.D": loss_d.detach(), "loss.G": loss_g.detach()}


class R3Block(nn.Module):
    """x + conv1(act(conv3(act(conv1 x)))), one bias before each activation, the 3x3 kernels in groups."""

    def __init__(self, width, group_width):
        super().__init__()
        inner = 2 * width
        self.groups = inner // group_width
        shapes = {0: (inner, width, 1, 1), 2: (inner, group_width, 3, 3), 4: (width, inner, 1, 1)}
        self.body = nn.Module()
        for i, shape in shapes.items():
            self.body.add_module(str(i), nn.Module())
            self.body._modules[str(i)].weight = nn.Parameter(torch.randn(shape) / (shape[1] * shape[2] * shape[3]) ** 0.5)
        for i in (1, 3):
            self.body.add_module(str(i), nn.Module())
            self.body._modules[str(i)].bias = nn.Parameter(0.1 * torch.randn(inner))

    def forward(self, x):
        part = self.body._modules
        h = leaky_relu(conv2d(x, part["0"].weight) + part["1"].bias[:, None, None], 0.2)
        h = leaky_relu(conv2d(h, part["2"].weight, padding=1, groups=self.groups) + part["3"].bias[:, None, None], 0.2)
        return x + conv2d(h, part["4"].weight)


def smooth(x):
    """Every channel by the outer product of [1, 3, 3, 1] / 8 with itself; x comes padded."""
    f = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
    kernel = (f[:, None] * f[None, :]).expand(x.shape[1], 1, 4, 4)
    return conv2d(x, kernel, groups=x.shape[1])


def larger(x):
    n, c, h, w = x.shape
    spread = torch.zeros(n, c, h, 2, w, 2, dtype=x.dtype)
    spread[:, :, :, 0, :, 0] = 4 * x
    return smooth(pad(spread.view(n, c, 2 * h, 2 * w), (2, 1, 2, 1)))


def smaller(x):
    return smooth(pad(x, (1, 1, 1, 1)))[:, :, ::2, ::2]


class R3G(nn.Module):
    def __init__(self, z, width, channels, group_width):
        super().__init__()
        basis = nn.Module()
        basis.linear = nn.Linear(z, width, bias=False)
        basis.basis = nn.Parameter(torch.randn(width, 4, 4))
        self.add_module("0", basis)
        for i in (1, 3, 5):
            self.add_module(str(i), R3Block(width, group_width))
        self.add_module("6", nn.Conv2d(width, channels, 1, bias=False))

    def forward(self, z):
        part = self._modules
        h = part["1"](part["0"].linear(z)[:, :, None, None] * part["0"].basis)
        h = part["5"](larger(part["3"](larger(h))))
        return part["6"](h)


class R3D(nn.Module):
    def __init__(self, width, channels, group_width):
        super().__init__()
        self.main = nn.Module()
        layers = {0: nn.Conv2d(channels, width, 1, bias=False), 6: nn.Conv2d(width, width, 4, groups=width, bias=False)}
        layers |= {i: R3Block(width, group_width) for i in (1, 3, 5)} | {8: nn.Linear(width, 1, bias=False)}
        for i in sorted(layers):
            self.main.add_module(str(i), layers[i])

    def forward(self, x):
        part = self.main._modules
        h = smaller(part["1"](part["0"](x)))
        h = part["5"](smaller(part["3"](h)))
        return part["8"](part["6"](h).flatten(1))[:, 0]


class PlaneBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, width, bias=False))

    def forward(self, x):
        return x + self.body(x)


# Remedies ------------------------------------------------------------------------------------------


class RemedyD(nn.Module):
    """DCGAN's D without norms, two levels, then minibatch discrimination and standard deviation."""

    def __init__(self, width, channels, kernels, dims):
        super().__init__()
        self.dims = dims
        nFeatures = 2 * width * 16
        self.main = nn.Module()
        close = nn.Module()
        close.close = nn.Module()
        close.close.weight = nn.Parameter(0.05 * torch.randn(nFeatures, kernels * dims))
        close.close.bias = nn.Parameter(torch.full([kernels], -1.0))
        layers = {0: nn.Conv2d(channels, width, 4, 2, 1, bias=False), 2: nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)}
        layers |= {4: close, 5: nn.Conv2d(2 * width + kernels + 1, 1, 4, bias=False)}
        for i, layer in layers.items():
            self.main.add_module(str(i), layer)

    def forward(self, x):
        part = self.main._modules
        h = leaky_relu(part["2"](leaky_relu(part["0"](x), 0.2)), 0.2)
        n = h.shape[0]
        close = part["4"].close
        m = (h.flatten(1) @ close.weight).view(n, -1, self.dims)
        rows = []
        for i in range(n):
            others = [j for j in range(n) if j != i]
            rows.append(sum(torch.exp(-(m[i] - m[j]).abs().sum(dim=1)) for j in others) + close.bias)
        h = torch.cat([h, torch.stack(rows)[:, :, None, None].expand(n, -1, 4, 4)], dim=1)
        deviation = (h.var(dim=0, unbiased=False) + 1e-8).sqrt().mean()  # one group of four
        h = torch.cat([h, deviation.expand(n, 1, 4, 4)], dim=1)
        return part["5"](h).flatten()
