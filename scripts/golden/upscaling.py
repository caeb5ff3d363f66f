"""Writes the golden training runs of srgan and esrgan.

    /usr/bin/python3 scripts/golden/upscaling.py

Nets (esrgan's G in bench/torch/upscaling_nets.py), losses and the bicubic filter are written from the papers, with
PyTorch's own layers and autograd; names are those of the recipes. The runs are float64, from float32 weights and batches.
"""

import torch
from torch import nn
from torch.nn import functional as F

from draws import images, well_scaled
from translation import Residual, adam, bce, held, write
from upscaling_nets import RrdbNet, conv


def keys(x):
    """Keys' cubic kernel, a = -1/2."""
    x = x.abs()
    near = (x <= 1) * (1.5 * x**3 - 2.5 * x**2 + 1)
    return near + ((x > 1) & (x <= 2)) * (-0.5 * x**3 + 2.5 * x**2 - 4 * x + 2)


def quarter(x):
    """Images at a quarter of their size along each axis, as 256 steps: the kernel four times as wide."""
    for axis in (2, 3):
        n = x.shape[axis]
        x = torch.cat([x.flip(axis), x, x.flip(axis)], axis)  # mirrored
        place = torch.arange(3 * n, dtype=x.dtype)[None] - n
        centre = torch.arange(n // 4, dtype=x.dtype)[:, None] * 4 + 1.5
        rows = keys((place - centre) / 4)
        rows = rows / rows.sum(1, keepdim=True)
        x = torch.einsum("...h,oh->...o", x.transpose(axis, 3), rows).transpose(axis, 3)
    return (x.clamp(0, 1) * 255).round() / 255


class Srgan:
    """Images 3x16x16 from 4x4, batch 2, width 4 and 2, two blocks; features at random, and pixels beside them."""

    steps = 2
    frozen = ("F",)

    def nets(self, w=4, d=2):
        def normed(c, out, stride=1):
            return [nn.Conv2d(c, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)]

        def block():
            return Residual(*normed(w, w), nn.PReLU(), *normed(w, w))

        def up():
            return [conv(w, 4 * w), nn.PixelShuffle(2), nn.PReLU()]

        G = nn.Sequential()
        G.add_module("first", nn.Sequential(conv(3, w, 9), nn.PReLU()))
        G.add_module("deep", Residual(block(), block(), *normed(w, w)))
        G.add_module("up", nn.Sequential(*up(), *up()))
        G.add_module("last", conv(w, 3, 9))
        slope, layers = nn.LeakyReLU(0.2), [conv(3, d), nn.LeakyReLU(0.2), *normed(d, d, 2), nn.LeakyReLU(0.2)]
        for k in (d, 2 * d, 4 * d):
            layers += [*normed(k, 2 * k), slope, *normed(2 * k, 2 * k, 2), slope]
        D = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * d, 16 * d), slope, nn.Linear(16 * d, 1))
        return {name: well_scaled(net) for name, net in {"G": G, "D": D, "F": Classifier()}.items()}

    def draw(self):
        return {"x.0": images([2, 3, 16, 16]), "x.1": images([2, 3, 16, 16])}

    def train(self, nets, draws):
        G, D, C = nets["G"], nets["D"], nets["F"].train()
        optimG, optimD = adam(G, lr=1e-4, betas=(0.9, 0.999)), adam(D, lr=1e-4, betas=(0.9, 0.999))
        for given in draws:
            x = given["x.0"] / 127.5 - 1
            early = F.mse_loss(G(quarter(given["x.0"] / 255)), x)
            step(optimG, early)
            x, low = given["x.1"] / 127.5 - 1, quarter(given["x.1"] / 255)
            made = G(low)
            lossD = bce(D(x), 1) + bce(D(made.detach()), 0)
            step(optimD, lossD)
            content = F.mse_loss(F.relu(C(made)), F.relu(C(x)))
            lossG = 0.1 * content + 0.5 * F.mse_loss(made, x) + 1e-3 * bce(held(D, made), 1)
            step(optimG, lossG)
            yield {"loss.pretrain": early.detach(), "loss.D": lossD.detach(), "loss.G": lossG.detach()}


class Classifier(nn.Module):
    """Maps of a classifier of coloured pictures: pairs of 3x3 kernels, halved between them."""

    def __init__(self, w=16):
        super().__init__()

        def layer(c, out):
            return nn.Sequential(nn.Conv2d(c, out, 3, padding=1, bias=False), nn.BatchNorm2d(out))

        self.stage0 = layer(3, w)
        for k, (c, out) in enumerate([(w, 2 * w), (2 * w, 4 * w), (4 * w, 4 * w)]):
            self.add_module(f"stage{k + 1}", nn.Sequential(layer(c, out), layer(out, out)))

    def train(self, mode=True):
        return super().train(False)  # it stays as it is

    def forward(self, x):
        x = self.stage0(x)
        for stage in (self.stage1, self.stage2, self.stage3):
            x = stage[1](F.relu(stage[0](F.max_pool2d(F.relu(x), 2))))
        return x


class Esrgan:
    """Images 3x16x16 from 4x4, batch 2, width 4 and 2, growth 2, one block; features at random."""

    steps = 2
    frozen = ("F",)
    # Only differences of D's scores count: so the last bias does not, nor that of a unit which is on one side of its
    # kink for every image.
    undetermined = ("D.12.bias", "D.14.bias")

    def nets(self, d=2):
        slope = nn.LeakyReLU(0.2)

        def halving(c, out, first):
            one = [conv(c, out)] if first else [conv(c, out, bias=False), nn.BatchNorm2d(out)]
            return [*one, slope, nn.Conv2d(out, out, 4, 2, 1, bias=False), nn.BatchNorm2d(out), slope]

        layers = [*halving(3, d, True), *halving(d, 2 * d, False)]
        D = nn.Sequential(*layers, nn.Flatten(), nn.Linear(2 * d * 16, 100), slope, nn.Linear(100, 1))
        nets = {"G": RrdbNet(3, 4, 2, 1), "D": D, "F": Classifier()}
        return {name: well_scaled(net) for name, net in nets.items()}

    def draw(self):
        return {"x.0": images([2, 3, 16, 16]), "x.1": images([2, 3, 16, 16])}

    def train(self, nets, draws):
        G, D, C = nets["G"], nets["D"], nets["F"].train()
        betas = (0.9, 0.99)
        optimG, optimD = adam(G, lr=2e-4, betas=betas), adam(D, lr=1e-4, betas=betas)

        def relative(better, worse):
            return (bce(better - worse.mean(), 1) + bce(worse - better.mean(), 0)) / 2

        for given in draws:
            x = given["x.0"] / 255
            early = F.l1_loss(G(quarter(x)), x)
            step(optimG, early)
            x = given["x.1"] / 255
            made = G(quarter(x))
            lossD = relative(D(x), D(made.detach()))
            step(optimD, lossD)
            fool = relative(held(D, made), held(D, x))
            content = F.l1_loss(C(2 * made - 1), C(2 * x - 1))
            lossG = 0.01 * F.l1_loss(made, x) + content + 5e-3 * fool
            step(optimG, lossG)
            yield {"loss.pretrain": early.detach(), "loss.D": lossD.detach(), "loss.G": lossG.detach()}


def step(optim, loss):
    optim.zero_grad()
    loss.backward()
    optim.step()


if __name__ == "__main__":
    write({"srgan": Srgan(), "esrgan": Esrgan()})
