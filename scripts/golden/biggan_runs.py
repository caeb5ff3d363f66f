"""The golden runs of the systems in bench/torch/biggan.py; make.py writes them."""

import torch
from draws import images
from torch import nn

import biggan as bg
from steady_runs import unit


def scattered(net):
    """Weights, tables and gains at random, so that each of them counts."""
    for name, p in net.named_parameters():
        if name.endswith("gamma"):
            nn.init.constant_(p, 0.7)
        elif p.dim() > 1:
            nn.init.normal_(p, std=(p.numel() / p.shape[0]) ** -0.5)
        else:
            nn.init.normal_(p, 1.0 if name.startswith("head.0.weight") else 0.0, 0.1)
    return net


class Biggan:
    """Images 3x16x16 of 3 classes, width 2, z 6 in three parts, embedding 4, batch 4; attention at 8x8."""

    steps = 2
    deep = False
    # Batch norm takes these biases away; the running means behind them go along.
    undetermined = (
        *("G.block0.conv1.bias", "G.block1.conv1.bias", "G.block1.conv2.bias", "G.block1.shortcut.bias"),
        *("G.block0.bn2.running_mean", "G.block1.bn2.running_mean", "G.head.0.running_mean"),
    )

    def nets(self):
        G = bg.Generator(widths=[8, 8, 8], z=6, embedding=4, classes=3, attend=0, deep=self.deep)
        D = bg.Discriminator(widths=[8, 8, 8], n_down=1, classes=3, attend=0, deep=self.deep)
        return {"G": scattered(G), "D": scattered(D)}

    def draw(self):
        given = {"x.0": images([4, 3, 16, 16]), "y.0": torch.randint(0, 3, [4])}
        for k in (0, 1):
            given |= {f"z.{k}": torch.randn(4, 6), f"yFake.{k}": torch.randint(0, 3, [4])}
        return given

    def train(self, nets, draws):
        G, D = nets["G"], nets["D"]
        optims = {
            name: torch.optim.Adam(net.parameters(), lr=lr, betas=(0.0, 0.999))
            for (name, net), lr in zip(nets.items(), (5e-5, 2e-4))
        }
        for given in draws:
            y = {key: value.long() for key, value in given.items() if key.startswith("y")}
            x, z = unit(given["x.0"]), [given["z.0"], given["z.1"]]
            lossD = bg.D_step(G, D, optims["D"], x, y["y.0"], z[0], y["yFake.0"])
            yield {"loss.D": lossD, "loss.G": bg.G_step(G, D, optims["G"], z[1], y["yFake.1"], 1e-4)}


class BigganDeep(Biggan):
    """As biggan, deep: z 6 whole, bottlenecks of 2."""

    deep = True
    undetermined = (
        *(f"G.block{k}{p}.conv{j}.bias" for k in (0, 1) for p in "ab" for j in (1, 2, 3)),
        *(f"G.block{k}{p}.bn{j}.running_mean" for k in (0, 1) for p in "ab" for j in (2, 3, 4)),
        *("G.block1a.conv4.bias", "G.block1b.conv4.bias", "G.block1b.bn1.running_mean", "G.head.0.running_mean"),
    )


systems = {"biggan": Biggan(), "biggan-deep": BigganDeep()}
