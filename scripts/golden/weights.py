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


def trained(net):
    """Weights and statistics away from their beginnings."""
    for value in net.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.randn_like(value) * 0.3)
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
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


main()
