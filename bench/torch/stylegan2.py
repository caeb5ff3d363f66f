"""StyleGAN2 in plain PyTorch, written from the formulas of arXiv:1912.04958 and independent of Duelo's code.

Every sample has a weight of its own here (a grouped convolution), the filter is a depthwise convolution
over an image with zeros between its pixels, and gradients of gradients are PyTorch's. Without classes and
without augmentation. Names are those of Duelo's state.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

SQRT2 = math.sqrt(2)


def lrelu(x):
    return F.leaky_relu(x, 0.2) * SQRT2


def normal(*shape, std=1.0):
    return nn.Parameter(torch.randn(*shape) * std)


class Dense(nn.Module):
    """Equalised learning rate: N(0, 1 / lr_mul^2) weights, scaled when used."""

    def __init__(self, fan_in, out, *, lr_mul=1.0, bias=0.0):
        super().__init__()
        self.lr_mul = lr_mul
        self.weight = normal(out, fan_in, std=1 / lr_mul)
        self.bias = nn.Parameter(torch.full([out], float(bias)))

    def forward(self, x):
        return F.linear(x, self.weight * (self.lr_mul / math.sqrt(self.weight.shape[1])), self.bias * self.lr_mul)


def fir(x, *, up=1, down=1, pad=(0, 0)):
    """[1, 3, 3, 1] along both axes, sum 1 (times up^2): zeros between, padding, filter, every down-th."""
    n, c, h, w = map(int, x.shape)
    spread = x.new_zeros(n, c, h * up, w * up)
    spread[:, :, ::up, ::up] = x
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8 * up
    kernel = (taps[:, None] * taps).expand(c, 1, 4, 4)
    return F.conv2d(F.pad(spread, (*pad, *pad)), kernel, groups=c)[:, :, ::down, ::down]


class Conv(nn.Module):
    def __init__(self, fan_in, out, k, *, down=False, bias=True):
        super().__init__()
        self.weight = normal(out, fan_in, k, k)
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None
        self.down = down

    def forward(self, x):
        _, fan_in, k, _ = self.weight.shape
        weight = self.weight / math.sqrt(fan_in * k * k)
        if not self.down:
            return F.conv2d(x, weight, self.bias, padding=k // 2)
        return F.conv2d(fir(x, pad=(k // 2 + 1, k // 2 + 1)), weight, self.bias, stride=2)


class Mapping(nn.Module):
    def __init__(self, *, z, w, layers):
        super().__init__()
        for i in range(layers):
            setattr(self, f"fc{i}", Dense(z if i == 0 else w, w, lr_mul=0.01))
        self.layers = layers
        self.register_buffer("w_avg", torch.zeros(w))

    def forward(self, z, watch=False):
        x = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for i in range(self.layers):
            x = lrelu(getattr(self, f"fc{i}")(x))
        if watch:
            self.w_avg.copy_(x.detach().mean(dim=0).lerp(self.w_avg, 0.995))
        return x


class Styled(nn.Module):
    """A modulated convolution: k = 3 with demodulation, noise and activation, or k = 1 for colours.

    `scaled` has the same mathematics without a weight for each sample: the input is scaled, convolved with the shared
    weight, and scaled back. It is faster on a processor, so the benchmarks set it.
    """

    scaled = False

    def __init__(self, fan_in, out, *, w, k=3, up=False):
        super().__init__()
        self.affine = Dense(w, fan_in, bias=1)
        self.weight = normal(out, fan_in, k, k)
        self.bias = nn.Parameter(torch.zeros(out))
        if k == 3:
            self.noise_strength = nn.Parameter(torch.zeros([]))
        self.up = up

    def forward(self, x, w, noise=None):
        _, c, k, _ = map(int, self.weight.shape)  # also where the net is traced
        style = self.affine(w)
        if k == 1:
            style = style / math.sqrt(c)
        y = self.by_scaling(x, style) if self.scaled else self.by_sample(x, style)
        if k == 1:
            return y + self.bias[:, None, None]
        return lrelu(y + noise * self.noise_strength + self.bias[:, None, None])

    def by_sample(self, x, style):
        n, c, h, wide = map(int, x.shape)
        out, _, k, _ = map(int, self.weight.shape)
        weight = self.weight[None] * style[:, None, :, None, None]  # [N, out, in, k, k]
        if k == 3:
            weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
        x = x.reshape(1, n * c, h, wide)
        if self.up:
            flat = weight.transpose(1, 2).reshape(n * c, out, k, k)
            y = F.conv_transpose2d(x, flat, stride=2, groups=n)
            return fir(y.reshape(n, out, 2 * h + 1, 2 * wide + 1), pad=(1, 1)) * 4
        return F.conv2d(x, weight.reshape(n * out, c, k, k), padding=k // 2, groups=n).reshape(n, out, h, wide)

    def by_scaling(self, x, style):
        k = int(self.weight.shape[-1])
        x = x * style[:, :, None, None]
        if self.up:
            y = fir(F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2), pad=(1, 1)) * 4
        else:
            y = F.conv2d(x, self.weight, padding=k // 2)
        if k == 1:
            return y
        demod = (style.square() @ self.weight.square().sum(dim=(2, 3)).T + 1e-8).rsqrt()
        return y * demod[:, :, None, None]


class Synthesis(nn.Module):
    def __init__(self, *, widths, channels, w):
        super().__init__()
        self.const = normal(widths[0], 4, 4)
        self.levels = len(widths) - 1
        for level, out in enumerate(widths):
            block = nn.Module()
            if level > 0:
                block.conv0 = Styled(widths[level - 1], out, w=w, up=True)
            block.conv1 = Styled(out, out, w=w)
            block.torgb = Styled(out, channels, w=w, k=1)
            setattr(self, f"b{4 * 2 ** level}", block)

    def forward(self, ws, noise):
        """ws [N, L, w]; noise: by the layer's name."""
        x = self.const[None].expand(len(ws), -1, -1, -1)
        picture, at = None, 0
        for level in range(self.levels + 1):
            name = f"b{4 * 2 ** level}"
            block = getattr(self, name)
            if level > 0:
                x = block.conv0(x, ws[:, at], noise[f"{name}.conv0"])
                at += 1
            x = block.conv1(x, ws[:, at], noise[f"{name}.conv1"])
            at += 1
            colours = block.torgb(x, ws[:, at])
            picture = colours if picture is None else fir(picture, up=2, pad=(2, 1)) + colours
        return picture


class Discriminator(nn.Module):
    def __init__(self, *, widths, channels, group):
        super().__init__()
        self.fromrgb = Conv(channels, widths[-1], 1)
        for level in range(len(widths) - 1, 0, -1):
            block = nn.Module()
            block.skip = Conv(widths[level], widths[level - 1], 1, down=True, bias=False)
            block.conv0 = Conv(widths[level], widths[level], 3)
            block.conv1 = Conv(widths[level], widths[level - 1], 3, down=True)
            setattr(self, f"b{4 * 2 ** level}", block)
        self.levels, self.group = len(widths) - 1, group
        self.conv = Conv(widths[0] + 1, widths[0], 3)
        self.fc = Dense(widths[0] * 16, widths[0])
        self.out = Dense(widths[0], 1)

    def forward(self, x):
        x = lrelu(self.fromrgb(x))
        for level in range(self.levels, 0, -1):
            block = getattr(self, f"b{4 * 2 ** level}")
            x = (block.skip(x) + lrelu(block.conv1(lrelu(block.conv0(x))))) * math.sqrt(0.5)
        n, _, h, w = x.shape
        group = min(self.group, n)
        y = x.reshape(group, n // group, -1)
        std = (y.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=1)
        x = torch.cat([x, std.repeat(group)[:, None, None, None].expand(n, 1, h, w)], dim=1)
        x = lrelu(self.conv(x)).flatten(1)
        return self.out(lrelu(self.fc(x)))


def styles(M, layers, z, z2, coin, cut, mixing=0.9):
    """[N, L, w]; with probability `mixing` a second w takes over after layer `cut`."""
    first = M(z, watch=True)[:, None].expand(-1, layers, -1)
    second = M(z2)[:, None].expand(-1, layers, -1)
    over = (torch.arange(layers) > cut) & (coin < mixing)
    return torch.where(over[None, :, None], second, first)


def lazy_adam(nets, lr, every):
    c = every / (every + 1)
    return torch.optim.Adam([p for net in nets for p in net.parameters()], lr=lr * c, betas=(0, 0.99**c), eps=1e-8)


def descend(optim, loss):
    """One update. A weight on which the loss does not depend has gradient zero, as in Duelo."""
    optim.zero_grad(set_to_none=True)
    loss.backward()
    for group in optim.param_groups:
        for param in group["params"]:
            if param.grad is None:
                param.grad = torch.zeros_like(param)
    optim.step()
    return loss.detach()


def loss_G(G, D, ws, noise):
    return F.softplus(-D(G(ws, noise))).mean()


def loss_path(G, ws, noise, along, mean, weight=2.0, every=4):
    """The penalty (Eq. 4), with the running mean that goes on; `mean` is moved in place."""
    image = G(ws, noise)
    h, w = image.shape[2:]
    (slope,) = torch.autograd.grad((image * along).sum() / math.sqrt(h * w), ws, create_graph=True)
    length = slope.square().sum(dim=2).mean(dim=1).sqrt()
    now = mean + 0.01 * (length.mean() - mean)
    mean.copy_(now.detach())
    return (length - now).square().mean() * weight * every


def loss_D(D, real, fake):
    return F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()


def loss_r1(D, real, gamma, every=16):
    x = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean() * gamma / 2 * every
