"""Writes the golden training runs of systems that work on images of several sizes, and of the toy of two domains.

    python3 scripts/golden/pyramids.py

Nets and losses are written here from the papers, with PyTorch's own layers, resampling and autograd;
names are those of the recipes. The runs are float64, from float32 weights, batches and noise.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from draws import images, well_scaled
from translation import adam, bce, write


def one_hot(y, classes, like):
    return F.one_hot(y.long(), classes).to(like.dtype)


def scattered(net):
    """Weights that begin at zero or one at random, so that each of them counts."""
    for value in net.parameters():
        if float(value.std() if value.numel() > 1 else 0) == 0:
            nn.init.normal_(value, mean=float(value.detach().mean()), std=0.1)
    return net


class Coarsest(nn.Module):
    """G0 or D0 of LAPGAN: three affine maps; `noise` holds the uniform numbers of dropout."""

    def __init__(self, sizes, places):
        super().__init__()
        for place, fan_in, out in zip(places, sizes, sizes[1:]):
            self.add_module(str(place), nn.Linear(fan_in, out))
        self.places = places

    def forward(self, x, noise=()):
        for k, place in enumerate(self.places):
            x = getattr(self, str(place))(x)
            if k < 2:
                x = F.relu(x)
                x = x * (noise[k] >= 0.5) * 2 if noise else x
        return x


class Finer(nn.Module):
    """G or D of a level above: convolutions over what comes in and a map of the class."""

    def __init__(self, side, classes, convs, last=None):
        super().__init__()
        self.add_module("class", nn.Linear(classes, side**2))
        for place, fan_in, out, kernel, stride, pad in convs:
            self.add_module(str(place), nn.Conv2d(fan_in, out, kernel, stride, pad))
        self.places = [str(conv[0]) for conv in convs]
        if last is not None:
            self.add_module("6", nn.Linear(last, 1))

    def forward(self, maps, y, noise=None):
        n, _, side, _ = maps.shape
        x = torch.cat([maps, F.relu(getattr(self, "class")(y)).reshape(n, 1, side, side)], 1)
        for k, place in enumerate(self.places):
            x = getattr(self, place)(x if k == 0 else F.relu(x))
        if noise is None:
            return x
        return getattr(self, "6")(F.relu(x.flatten(1)) * (noise >= 0.5) * 2)


class Lapgan:
    """Images 3x24x24 of 3 classes down to 6x6, batch 2, z 4, widths 2 and 3, five and six units; gradient descent, momentum 0 in the first epoch."""

    steps = 3
    sides = (12, 24)

    def nets(self):
        nets = {"G0": Coarsest([4 + 3, 5, 5, 108], [0, 2, 4]), "D0": Coarsest([108 + 3, 6, 6, 1], [0, 3, 6])}
        for k, side in enumerate(self.sides, 1):
            convs = [(0, 5, 2, 7, 1, 3), (2, 2, 2, 7, 1, 3), (4, 2, 3, 5, 1, 2)]
            nets[f"G{k}"] = Finer(side, 3, convs)
            left = (side - 4 - 5) // 2 + 1
            nets[f"D{k}"] = Finer(side, 3, [(0, 4, 3, 5, 1, 0), (2, 3, 3, 5, 2, 0)], last=3 * left**2)
        return {name: well_scaled(net) for name, net in nets.items()}

    def draw(self):
        given = {"x": images([2, 3, 24, 24]), "z": torch.rand(2, 4) * 2 - 1}
        given |= {name: torch.randint(0, 3, [2]).float() for name in ("y", "yFake")}
        for turn in ("", ".1", ".2"):
            given |= {f"noise/D0.{place}{turn}": torch.rand(2, 6) for place in (2, 5)}
            for k, side in enumerate(self.sides, 1):
                given[f"noise/D{k}.5{turn}"] = torch.rand(2, 3 * ((side - 4 - 5) // 2 + 1) ** 2)
                if turn != ".2":
                    given[f"noise/G{k}{turn}"] = torch.rand(2, 1, side, side) * 2 - 1
        return given

    def train(self, nets, draws):
        # Class-conditional levels begin with a momentum of 0.
        optims = {name: torch.optim.SGD(net.parameters(), lr=0.02) for name, net in nets.items()}

        def descend(name, loss):
            optims[name].zero_grad()
            loss.backward()
            optims[name].step()
            return loss.detach()

        for given in draws:
            x = given["x"] / 127.5 - 1
            y, fake_y = (one_hot(given[name], 3, x) for name in ("y", "yFake"))
            sizes = [F.avg_pool2d(x, 4), F.avg_pool2d(x, 2), x]
            losses = {}
            for k in range(3):
                G, D = nets[f"G{k}"], nets[f"D{k}"]
                real = sizes[k]
                if k == 0:
                    made = lambda turn: G(torch.cat([given["z"], fake_y], 1)).reshape(2, 3, 6, 6)
                    told = fake_y
                    judge = lambda v, c, turn: D(
                        torch.cat([v.flatten(1), c], 1), [given[f"noise/D0.{place}{turn}"] for place in (2, 5)]
                    )
                else:
                    low = F.interpolate(sizes[k - 1], scale_factor=2, mode="bilinear", align_corners=False)
                    band = real - low
                    real = low + band
                    made = lambda turn: low + G(torch.cat([given[f"noise/G{k}{turn}"], low], 1), y)
                    told = y
                    judge = lambda v, c, turn: D(v, c, given[f"noise/D{k}.5{turn}"])
                of_real, of_fake = judge(real, y, ""), judge(made("").detach(), told, ".1")
                halves, wanted = torch.cat([of_real, of_fake]), torch.tensor([[1.0], [1.0], [0.0], [0.0]], dtype=x.dtype)
                losses[f"loss.D{k}"] = descend(f"D{k}", F.binary_cross_entropy_with_logits(halves, wanted))
                losses[f"loss.G{k}"] = descend(f"G{k}", bce(judge(made("" if k == 0 else ".1"), told, ".2"), 1))
            yield losses


SQRT2 = math.sqrt(2)


class Weighted(nn.Module):
    """A weight kept as N(0, 1 / lr_mul^2) and scaled when used; a kernel where k is given."""

    def __init__(self, fan_in, out, k=None, *, gain=1.0, lr_mul=1.0, bias=True):
        super().__init__()
        shape = [out, fan_in] if k is None else [out, fan_in, k, k]
        self.weight = nn.Parameter(torch.randn(shape) / lr_mul)
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None
        self.scale, self.lr_mul = gain * lr_mul / math.sqrt(fan_in * (k or 1) ** 2), lr_mul

    def forward(self, x):
        bias = None if self.bias is None else self.bias * self.lr_mul
        if self.weight.ndim == 2:
            return F.linear(x, self.weight * self.scale, bias)
        return F.conv2d(x, self.weight * self.scale, bias, padding=self.weight.shape[2] // 2)


def act(x):
    return F.leaky_relu(x, 0.2)


def blur(x):
    taps = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype) / 4
    c = x.shape[1]
    return F.conv2d(x, (taps[:, None] * taps).expand(c, 1, 3, 3), padding=1, groups=c)


def normed(z):
    return z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()


class Styles(nn.Module):
    """z and the class to w."""

    def __init__(self, z, w, layers, classes):
        super().__init__()
        self.label = nn.Parameter(torch.randn(classes, z))
        for i in range(layers):
            self.add_module(f"fc{i}", Weighted(2 * z if i == 0 else w, w, gain=SQRT2, lr_mul=0.01))
        self.layers = layers
        self.register_buffer("w_avg", torch.zeros(w))

    def forward(self, z, y, watch=False):
        x = normed(torch.cat([z, y @ self.label], 1))
        for i in range(self.layers):
            x = act(getattr(self, f"fc{i}")(x))
        if watch:
            self.w_avg.copy_(0.995 * self.w_avg + 0.005 * x.detach().mean(0))
        return x


class Epilogue(nn.Module):
    """Noise, bias, leaky ReLU, instance norm and style, after a convolution where there is one."""

    def __init__(self, fan_in, c, w, conv=True):
        super().__init__()
        if conv:
            self.weight = nn.Parameter(torch.randn(c, fan_in, 3, 3))
        self.noise_strength = nn.Parameter(torch.zeros(c))
        self.bias = nn.Parameter(torch.zeros(c))
        self.affine = Weighted(w, 2 * c)

    def forward(self, x, w, noise, up=False):
        if up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        if hasattr(self, "weight"):
            x = F.conv2d(x, self.weight * SQRT2 / math.sqrt(self.weight[0].numel()), padding=1)
        if up:
            x = blur(x)
        x = act(x + noise * self.noise_strength[:, None, None] + self.bias[:, None, None])
        x = F.instance_norm(x, eps=1e-8)
        size, place = self.affine(w)[:, :, None, None].chunk(2, 1)
        return x * (size + 1) + place


class Synthesis(nn.Module):
    """4x4 and 8x8, the latter being faded in."""

    def __init__(self, widths, w):
        super().__init__()
        self.const = nn.Parameter(torch.ones(widths[0], 4, 4))
        self.b4, self.b8 = nn.Module(), nn.Module()
        self.b4.conv0 = Epilogue(0, widths[0], w, conv=False)
        self.b4.conv1 = Epilogue(widths[0], widths[0], w)
        self.b8.conv0 = Epilogue(widths[0], widths[1], w)
        self.b8.conv1 = Epilogue(widths[1], widths[1], w)
        self.b4.torgb, self.b8.torgb = Weighted(widths[0], 3, 1), Weighted(widths[1], 3, 1)
        self.register_buffer("fade", torch.zeros([]))

    def forward(self, ws, noise, fade):
        x = self.const[None].expand(len(ws), -1, -1, -1)
        x = self.b4.conv1(self.b4.conv0(x, ws[:, 0], noise["b4.conv0"]), ws[:, 1], noise["b4.conv1"])
        old = F.interpolate(self.b4.torgb(x), scale_factor=2, mode="nearest")
        x = self.b8.conv0(x, ws[:, 2], noise["b8.conv0"], up=True)
        new = self.b8.torgb(self.b8.conv1(x, ws[:, 3], noise["b8.conv1"]))
        return old + fade * (new - old)


class Judge(nn.Module):
    def __init__(self, widths, classes, group):
        super().__init__()
        self.b4, self.b8 = nn.Module(), nn.Module()
        self.b4.fromrgb, self.b8.fromrgb = Weighted(3, widths[0], 1, gain=SQRT2), Weighted(3, widths[1], 1, gain=SQRT2)
        self.b8.conv0 = Weighted(widths[1], widths[1], 3, gain=SQRT2)
        self.b8.conv1 = Weighted(widths[1], widths[0], 3, gain=SQRT2)
        self.conv = Weighted(widths[0] + 1, widths[0], 3, gain=SQRT2)
        self.fc = Weighted(widths[0] * 16, widths[0], gain=SQRT2)
        self.out = Weighted(widths[0], classes)
        self.group = group

    def forward(self, x, y, fade):
        old = act(self.b4.fromrgb(F.avg_pool2d(x, 2)))
        h = blur(act(self.b8.conv0(act(self.b8.fromrgb(x)))))
        # The bias of a mean of four is itself.
        h = act(F.avg_pool2d(self.b8.conv1(h), 2))
        h = old + fade * (h - old)
        n = len(h)
        groups = h.reshape(self.group, n // self.group, -1)
        std = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean(1).repeat(self.group)
        h = torch.cat([h, std[:, None, None, None].expand(n, 1, 4, 4)], 1)
        f = act(self.fc(act(self.conv(h)).flatten(1)))
        return (self.out(f) * y).sum(1, keepdim=True)


class StyleGan:
    """Images 3x16x16 of 3 classes seen at 8x8 while that is a quarter faded in; batch 4, z 5, w 6, two layers from z to w, channels 8 and 4."""

    steps = 3
    fade = 0.25

    def nets(self):
        nets = {"M": Styles(5, 6, 2, 3), "G": Synthesis([8, 4], 6), "D": Judge([8, 4], 3, 2)}
        # As ones it would lie where leaky ReLU is linear, and instance norm would take the first bias away.
        nn.init.normal_(nets["G"].const)
        return {name: scattered(net) for name, net in nets.items()}

    def draw(self):
        given = {"x.0": images([4, 3, 16, 16]), "y.0": torch.randint(0, 3, [4]).float()}
        for k in (0, 1):
            given |= {f"{name}.{k}": torch.randn(4, 5) for name in ("z", "z2")}
            given |= {f"yFake.{k}": torch.randint(0, 3, [4]).float()}
            given |= {f"coin.{k}": torch.rand(1), f"cut.{k}": torch.randint(0, 3, [1]).float()}
            for block, side in (("b4", 4), ("b8", 8)):
                given |= {f"noise/G.{block}.conv{i}.{k}": torch.randn(4, 1, side, side) for i in (0, 1)}
        return given

    def train(self, nets, draws):
        M, G, D = nets["M"], nets["G"], nets["D"]
        optimG, optimD = (adam(*which, lr=0.001, betas=(0, 0.99)) for which in ((M, G), (D,)))
        for given in draws:
            x = F.avg_pool2d(given["x.0"] / 127.5 - 1, 2)
            y = one_hot(given["y.0"], 3, x)
            fade = self.fade

            def made(k, watch):
                told = one_hot(given[f"yFake.{k}"], 3, x)
                first = M(given[f"z.{k}"], told, watch)[:, None].expand(-1, 4, -1)
                second = M(given[f"z2.{k}"], told)[:, None].expand(-1, 4, -1)
                over = (torch.arange(4) > given[f"cut.{k}"]) & (given[f"coin.{k}"] < 0.9)
                noise = {f"{b}.conv{i}": given[f"noise/G.{b}.conv{i}.{k}"] for b in ("b4", "b8") for i in (0, 1)}
                return G(torch.where(over[None, :, None], second, first), noise, fade), told

            old = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="nearest")
            real = (old + fade * (x - old)).requires_grad_()
            (fake, told) = made(0, False)
            of_real = D(real, y, fade)
            (slope,) = torch.autograd.grad(of_real.sum(), real, create_graph=True)
            # The slope by images of 16x16 pixels, four for each of these, is a quarter in each pixel.
            penalty = 10 / 2 * (4 * (slope / 4).square()).sum((1, 2, 3)).mean()
            lossD = F.softplus(-of_real).mean() + F.softplus(D(fake.detach(), told, fade)).mean() + penalty
            optimD.zero_grad()
            lossD.backward()
            optimD.step()
            (fake, told) = made(1, True)
            lossG = F.softplus(-D(fake, told, fade)).mean()
            optimG.zero_grad()
            lossG.backward()
            optimG.step()
            G.fade.fill_(fade)
            yield {"loss.D": lossD.detach(), "loss.G": lossG.detach()}


class Discogan2d:
    """Points, batch 8, width 6."""

    steps = 3

    def nets(self):
        def net(depth, out):
            layers = [nn.Linear(2, 6)]
            for _ in range(depth - 2):
                layers += [nn.ReLU(), nn.Linear(6, 6)]
            return well_scaled(nn.Sequential(*layers, nn.ReLU(), nn.Linear(6, out)))

        return {"GAB": net(3, 2), "GBA": net(3, 2), "DA": net(5, 1), "DB": net(5, 1)}

    def draw(self):
        return {"a": torch.randn(8, 2), "b": torch.randn(8, 2)}

    def train(self, nets, draws):
        GAB, GBA, DA, DB = (nets[name] for name in ("GAB", "GBA", "DA", "DB"))
        optimG, optimD = adam(GAB, GBA, lr=2e-4), adam(DA, DB, lr=2e-4)
        for given in draws:
            a, b = given["a"], given["b"]
            toA, toB = GBA(b).detach(), GAB(a).detach()
            lossA, lossB = bce(DA(a), 1) + bce(DA(toA), 0), bce(DB(b), 1) + bce(DB(toB), 0)
            optimD.zero_grad()
            (lossA + lossB).backward()
            optimD.step()
            toA, toB = GBA(b), GAB(a)
            lossG = bce(DA(toA), 1) + bce(DB(toB), 1) + F.mse_loss(GBA(toB), a) + F.mse_loss(GAB(toA), b)
            optimG.zero_grad()
            lossG.backward()
            optimG.step()
            yield {"loss.DA": lossA.detach(), "loss.DB": lossB.detach(), "loss.G": lossG.detach()}


if __name__ == "__main__":
    write({"lapgan": Lapgan(), "stylegan": StyleGan(), "discogan-2d": Discogan2d()})
