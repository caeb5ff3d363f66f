"""Writes weights as other codes keep them, each with an input and what the net makes of it.

    python3 scripts/golden/weights.py

The nets are defined here anew, after the descriptions of their authors; only the names of their state
dicts and the layers are those of the named codes.
"""

from pathlib import Path

import torch
from torch import nn
from safetensors import save

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "weights"


def dcgan(nz, ngf):
    """netG of pytorch/examples dcgan at 64x64: a Sequential named main."""
    widths = [8 * ngf, 4 * ngf, 2 * ngf, ngf]
    layers = [nn.ConvTranspose2d(nz, widths[0], 4, 1, 0, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    for before, after in zip(widths, widths[1:]):
        layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    layers += [nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh()]
    net = nn.Module()
    net.main = nn.Sequential(*layers)
    return net


class Block(nn.Module):
    """A residual block of ResnetGenerator."""

    def __init__(self, c):
        super().__init__()
        half = lambda: [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c)]
        self.conv_block = nn.Sequential(*half(), nn.ReLU(), *half())

    def forward(self, x):
        return x + self.conv_block(x)


def resnet(ngf, blocks):
    """ResnetGenerator of pytorch-CycleGAN-and-pix2pix: a Sequential named model; instance norm without weights."""
    net, norm = nn.Module(), nn.InstanceNorm2d
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7), norm(ngf), nn.ReLU()]
    for c in (ngf, 2 * ngf):
        layers += [nn.Conv2d(c, 2 * c, 3, 2, 1), norm(2 * c), nn.ReLU()]
    layers += [Block(4 * ngf) for _ in range(blocks)]
    for c in (4 * ngf, 2 * ngf):
        layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1), norm(c // 2), nn.ReLU()]
    net.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh())
    return net


class Skip(nn.Module):
    """A level of UnetGenerator; the next one stands inside its Sequential named model."""

    def __init__(self, outer, width, inside=None, outermost=False):
        super().__init__()
        self.outermost = outermost
        down = nn.Conv2d(outer, width, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(width * (1 if inside is None else 2), outer, 4, 2, 1, bias=outermost)
        if outermost:
            layers = [down, inside, nn.ReLU(), up, nn.Tanh()]
        elif inside is None:
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, nn.BatchNorm2d(outer)]
        else:
            first, last = nn.BatchNorm2d(width), nn.BatchNorm2d(outer)
            layers = [nn.LeakyReLU(0.2), down, first, inside, nn.ReLU(), up, last, nn.Dropout(0)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def unet(ngf):
    """UnetGenerator of pytorch-CycleGAN-and-pix2pix, four levels."""
    net = nn.Module()
    inner = Skip(2 * ngf, 4 * ngf, Skip(4 * ngf, 8 * ngf))
    net.model = Skip(3, ngf, Skip(ngf, 2 * ngf, inner), outermost=True)
    return net


def normalised(weight, u0):
    """A weight over its largest singular value as their power iteration finds it: one round, then the product."""
    W = weight.reshape(len(weight), -1)
    v = nn.functional.normalize(u0 @ W)
    u = nn.functional.normalize(v @ W.t())
    return weight / (v @ W.t() @ u.t()).squeeze()


class Sn:
    """Keeps u0 [1, out] and sv0 beside a weight, as their spectral norm does."""

    def begin(self):
        self.register_buffer("u0", torch.randn(1, len(self.weight)))
        self.register_buffer("sv0", torch.ones(1))
        return self


class SnConv(nn.Conv2d, Sn):
    def forward(self, x):
        return nn.functional.conv2d(x, normalised(self.weight, self.u0), self.bias, padding=self.padding)


class SnLinear(nn.Linear, Sn):
    def forward(self, x):
        return nn.functional.linear(x, normalised(self.weight, self.u0), self.bias)


class Stored(nn.Module):
    """Batch norm by stored statistics; gain and bias are weights, or maps of a condition of k numbers."""

    def __init__(self, c, k=None):
        super().__init__()
        self.register_buffer("stored_mean", torch.zeros(c))
        self.register_buffer("stored_var", torch.ones(c))
        plain = [nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))]
        self.gain, self.bias = plain if k is None else [SnLinear(k, c, bias=False).begin() for _ in range(2)]

    def forward(self, x, y=None):
        gain, bias = (self.gain, self.bias) if y is None else (1 + self.gain(y), self.bias(y))
        shape = [-1, x.shape[1], 1, 1]
        x = (x - self.stored_mean.reshape(shape)) / (self.stored_var.reshape(shape) + 1e-5).sqrt()
        return x * gain.reshape(shape) + bias.reshape(shape)


class GBlock(nn.Module):
    def __init__(self, c, out, k):
        super().__init__()
        self.conv1, self.conv2 = SnConv(c, out, 3, padding=1).begin(), SnConv(out, out, 3, padding=1).begin()
        self.conv_sc = SnConv(c, out, 1).begin()
        self.bn1, self.bn2 = Stored(c, k), Stored(out, k)

    def forward(self, x, y):
        double = lambda v: nn.functional.interpolate(v, scale_factor=2)
        h = self.conv1(double(self.bn1(x, y).relu()))
        return self.conv2(self.bn2(h, y).relu()) + self.conv_sc(double(x))


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        point = lambda a, b: SnConv(a, b, 1, bias=False).begin()
        self.theta, self.phi, self.g, self.o = point(c, c // 8), point(c, c // 8), point(c, c // 2), point(c // 2, c)
        self.gamma = nn.Parameter(torch.tensor(0.5))

    def forward(self, x, y=None):
        n, c, h, w = x.shape
        flat = lambda v: v.reshape(n, v.shape[1], -1)
        pool = nn.MaxPool2d(2)
        theta, phi, g = flat(self.theta(x)), flat(pool(self.phi(x))), flat(pool(self.g(x)))
        beta = (theta.transpose(1, 2) @ phi).softmax(-1)
        return self.gamma * self.o((g @ beta.transpose(1, 2)).reshape(n, c // 2, h, w)) + x


class BigGan(nn.Module):
    """Generator of BigGAN-PyTorch at 32x32 with hierarchical z, a shared embedding and attention at 16x16."""

    def __init__(self, ch, z, shared, classes):
        super().__init__()
        c = 4 * ch
        self.shared = nn.Embedding(classes, shared)
        self.linear = SnLinear(z // 4, c * 16).begin()
        blocks = [[GBlock(c, c, shared + z // 4)] for _ in range(3)]
        blocks[1].append(Attention(c))
        self.blocks = nn.ModuleList(nn.ModuleList(block) for block in blocks)
        self.output_layer = nn.Sequential(Stored(c), nn.ReLU(), SnConv(c, 3, 3, padding=1).begin())

    def forward(self, z, y):
        first, *rest = z.chunk(4, 1)
        h = self.linear(first).reshape(len(z), -1, 4, 4)
        for block, part in zip(self.blocks, rest):
            for layer in block:
                h = layer(h, torch.cat([self.shared(y), part], 1))
        return self.output_layer(h).tanh()


def settled(net):
    """u0 where power iteration ends, as it all but has after training."""
    for module in net.modules():
        if isinstance(module, Sn):
            W = module.weight.detach().reshape(len(module.weight), -1)
            for _ in range(2000):
                module.u0 = nn.functional.normalize(nn.functional.normalize(module.u0 @ W) @ W.t())
    return net


def trained(net):
    """Weights and statistics away from their beginnings."""
    for value in net.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.randn_like(value) * 0.3)
    for name, value in net.state_dict().items():
        if name.endswith("_var"):
            value.copy_(torch.rand_like(value) + 0.5)
    return net.eval()


def main():
    torch.manual_seed(0)
    OUT.mkdir(exist_ok=True)
    G = trained(dcgan(nz=4, ngf=2))
    z = torch.randn(3, 4)
    with torch.no_grad():
        save(OUT / "dcgan.safetensors", {"z": z, "x": G.main(z[:, :, None, None])}, {})
    torch.save(G.state_dict(), OUT / "dcgan-zip.pth")
    torch.save(G.state_dict(), OUT / "dcgan-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"netG": G.state_dict(), "netD": {"w": torch.ones(1)}, "epoch": 3}, OUT / "several.pth")
    torch.save(torch.nn.Linear(1, 1), OUT / "module.pth")
    pixels = torch.randint(0, 256, [3, 3, 16, 16]).float()
    for name, net in {"resnet": trained(resnet(ngf=2, blocks=2)), "unet": trained(unet(ngf=1))}.items():
        torch.save(net.state_dict(), OUT / f"{name}.pth")
        with torch.no_grad():
            # As their test script has it: training mode, images one at a time.
            x = torch.cat([net.train().model(one[None] / 127.5 - 1) for one in pixels])
        save(OUT / f"{name}.safetensors", {"pixels": pixels, "x": x}, {})
    big = settled(trained(BigGan(ch=2, z=8, shared=3, classes=3)))
    torch.save(big.state_dict(), OUT / "biggan.pth")
    z, y = torch.randn(3, 8), torch.tensor([0, 1, 2])
    with torch.no_grad():
        save(OUT / "biggan.safetensors", {"z": z, "y": y.float(), "x": big(z, y)}, {})
    views = {
        "transposed": torch.arange(6.0).reshape(2, 3).t(),
        "half": torch.tensor([1.5, -2.0**-24, 65504.0]).half(),
        "bfloat16": torch.tensor([1.5, -3.0]).bfloat16(),
        "double": torch.tensor([0.1]).double(),
        "parameter": nn.Parameter(torch.ones(2)),
        "tail": torch.arange(5.0)[3:],
        "counter": torch.tensor(7),
    }
    torch.save(views, OUT / "views.pth")
    many = torch.arange(4.0)
    torch.save({f"w{k}": many for k in range(5)}, OUT / "shared.pth")


main()
