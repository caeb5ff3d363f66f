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
