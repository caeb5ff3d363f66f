"""Writes the golden training runs of the systems that translate images.

    python3 scripts/golden/translation.py

Nets and losses are written here from the papers, with PyTorch's own layers and autograd; names are
those of the recipes. The runs are float64, from float32 weights, batches and noise.
"""

import torch
from torch import nn
from torch.nn import functional as F

from make import ROOT, images, save, state, well_scaled

STEPS = 4


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def adam(*nets, lr, **more):
    return torch.optim.Adam([p for net in nets for p in net.parameters()], lr=lr, **{"betas": (0.5, 0.999), **more})


def patch_discriminator(channels, width, norm, bias):
    """Patch of 16 pixels."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 1, 1, bias=bias),
        norm(2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 4, 1, 1),
    )


def batch_norm(channels):
    return nn.BatchNorm2d(channels, track_running_stats=False)


class Half(nn.Conv2d):
    """A convolution that halves, with a norm of its own."""

    def __init__(self, channels, out, normed):
        super().__init__(channels, out, 4, 2, 1, bias=False)
        if normed:
            self.norm = batch_norm(out)

    def forward(self, x):
        y = super().forward(x)
        return self.norm(y) if hasattr(self, "norm") else y


class Double(nn.ConvTranspose2d):
    def __init__(self, channels, out, outermost):
        super().__init__(channels, out, 4, 2, 1, bias=outermost)
        if not outermost:
            self.norm = batch_norm(out)

    def forward(self, x):
        y = super().forward(x)
        return self.norm(y) if hasattr(self, "norm") else torch.tanh(y)


class Unet(nn.Module):
    """One level, with those inside it."""

    def __init__(self, levels, width, channels, out, level=0):
        super().__init__()
        wide = [width * min(2**i, 8) for i in range(levels)]
        self.outermost, innermost = level == 0, level == levels - 1
        self.path = "G" + ".in" * level + ".up"
        self.noisy = not self.outermost and levels - 1 - level < 3
        self.down = Half(channels, wide[level], not (self.outermost or innermost))
        if not innermost:
            self.add_module("in", Unet(levels, width, wide[level], 0, level + 1))
        self.up = Double(wide[level] * (1 if innermost else 2), out if self.outermost else wide[level - 1], self.outermost)

    def forward(self, x, noise):
        y = self.down(x if self.outermost else F.leaky_relu(x, 0.2))
        inner = getattr(self, "in", None)
        y = self.up(F.relu(inner(y, noise) if inner is not None else y))
        if self.noisy:
            y = y * (noise[f"noise/{self.path}"] >= 0.5) * 2
        return y if self.outermost else torch.cat([x, y], 1)


class Pix2pix:
    """Images 3x16x16 to 3x16x16, batch 2, width 4, patch 16."""

    def nets(self):
        return {
            "G": well_scaled(Unet(4, 4, 3, 3)),
            "D": well_scaled(patch_discriminator(6, 4, batch_norm, bias=False)),
        }

    def draw(self):
        noise = {"noise/G.in.up": [2, 4, 8, 8], "noise/G.in.in.up": [2, 8, 4, 4], "noise/G.in.in.in.up": [2, 16, 2, 2]}
        return {"a": images([2, 3, 16, 16]), "b": images([2, 3, 16, 16])} | {k: torch.rand(s) for k, s in noise.items()}

    def train(self, nets, draws):
        G, D = nets["G"], nets["D"]
        optimG, optimD = adam(G, lr=2e-4), adam(D, lr=2e-4)
        for given in draws:
            a, b = given["a"] / 127.5 - 1, given["b"] / 127.5 - 1
            made = G(a, given)
            lossD = (bce(D(torch.cat([a, b], 1)), 1) + bce(D(torch.cat([a, made.detach()], 1)), 0)) / 2
            optimD.zero_grad()
            lossD.backward()
            optimD.step()
            lossG = bce(D(torch.cat([a, made], 1)), 1) + 100 * F.l1_loss(made, b)
            optimG.zero_grad()
            lossG.backward()
            optimG.step()
            yield {"loss.D": lossD.detach(), "loss.G": lossG.detach()}


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.body(x)


class Cyclegan:
    """Images 3x16x16, batch 1, width 4, one block, patch 16, a pool of 2."""

    # Biases before a norm have no gradient but rounding.
    undetermined = (
        "F.1.bias F.4.bias F.7.bias F.10.body.1.bias F.10.body.5.bias F.11.bias F.14.bias "
        "G.1.bias G.4.bias G.7.bias G.10.body.1.bias G.10.body.5.bias G.11.bias G.14.bias DA.2.bias DB.2.bias"
    ).split()
    size = 2

    def generator(self, channels, out, w=4):
        def block(c):
            pad, norm = nn.ReflectionPad2d(1), nn.InstanceNorm2d(c)
            return Residual(pad, nn.Conv2d(c, c, 3), norm, nn.ReLU(), pad, nn.Conv2d(c, c, 3), norm)

        layers = [nn.ReflectionPad2d(3), nn.Conv2d(channels, w, 7), nn.InstanceNorm2d(w), nn.ReLU()]
        for k in (w, 2 * w):
            layers += [nn.Conv2d(k, 2 * k, 3, 2, 1), nn.InstanceNorm2d(2 * k), nn.ReLU()]
        layers += [block(4 * w)]
        for k in (4 * w, 2 * w):
            layers += [nn.ConvTranspose2d(k, k // 2, 3, 2, 1, 1), nn.InstanceNorm2d(k // 2), nn.ReLU()]
        return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(w, out, 7), nn.Tanh())

    def nets(self):
        def D(channels):
            return patch_discriminator(channels, 4, nn.InstanceNorm2d, bias=True)

        nets = {"G": self.generator(3, 3), "F": self.generator(3, 3), "DA": D(3), "DB": D(3)}
        return {name: well_scaled(net) for name, net in nets.items()}

    def draw(self):
        draws = {"a": images([1, 3, 16, 16]), "b": images([1, 3, 16, 16])}
        for side in "AB":
            draws |= {f"coin{side}": torch.rand(1), f"place{side}": torch.randint(0, self.size, [1]).float()}
        return draws

    def buffers(self):
        pools = {"state.poolA": torch.zeros(2, 3, 16, 16), "state.poolB": torch.zeros(2, 3, 16, 16)}
        return pools | {"state.countA": torch.zeros([]), "state.countB": torch.zeros([])}

    def shown(self, pool, fresh, coin, place):
        """What D is shown, and the pool changed in place."""
        if len(pool) < self.size:
            pool.append(fresh)
            return fresh
        if coin >= 0.5:
            return fresh
        old, pool[int(place)] = pool[int(place)], fresh
        return old

    def train(self, nets, draws):
        G, F_, DA, DB = (nets[name] for name in ("G", "F", "DA", "DB"))
        optimG, optimD = adam(G, F_, lr=2e-4), adam(DA, DB, lr=2e-4)
        pools = {"A": [], "B": []}
        l1, mse = F.l1_loss, lambda x, target: F.mse_loss(x, torch.full_like(x, target))
        for given in draws:
            a, b = given["a"] / 127.5 - 1, given["b"] / 127.5 - 1
            toB, toA = G(a), F_(b)
            lossG = mse(DB(toB), 1) + mse(DA(toA), 1) + 10 * (l1(F_(toB), a) + l1(G(toA), b))
            lossG = lossG + 5 * (l1(G(b), b) + l1(F_(a), a))
            optimG.zero_grad()
            lossG.backward()
            optimG.step()
            oldA = self.shown(pools["A"], toA.detach(), given["coinA"], given["placeA"])
            oldB = self.shown(pools["B"], toB.detach(), given["coinB"], given["placeB"])
            lossA = (mse(DA(a), 1) + mse(DA(oldA), 0)) / 2
            lossB = (mse(DB(b), 1) + mse(DB(oldB), 0)) / 2
            optimD.zero_grad()
            (lossA + lossB).backward()
            optimD.step()
            yield {"loss.G": lossG.detach(), "loss.DA": lossA.detach(), "loss.DB": lossB.detach()}
        self.last = {f"state.pool{k}": torch.cat(v) for k, v in pools.items()}
        self.last |= {f"state.count{k}": torch.tensor(float(len(v))) for k, v in pools.items()}


class Judge(nn.Module):
    """DiscoGAN's discriminator: a logit and three maps."""

    def __init__(self, width, channels=3, last=2):
        super().__init__()
        for i, (c, out) in enumerate(zip([channels, width, 2 * width, 4 * width], [width, 2 * width, 4 * width, 8 * width])):
            norm = [nn.BatchNorm2d(out)] if i else []
            self.add_module(str(i), nn.Sequential(nn.Conv2d(c, out, 4, 2, 1, bias=False), *norm, nn.LeakyReLU(0.2)))
        self.last = nn.Conv2d(8 * width, 1, last, bias=False)

    def forward(self, x):
        maps = []
        for i in range(4):
            x = getattr(self, str(i))(x)
            maps.append(x)
        return self.last(x), maps[1:]


def held(net, x):
    """A pass that leaves running statistics alone."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.running_mean, norm.kept_mean = None, norm.running_mean
        norm.running_var, norm.kept_var = None, norm.running_var
    y = net(x)
    for norm in norms:
        norm.running_mean, norm.running_var = norm.kept_mean, norm.kept_var
        norm.kept_mean = norm.kept_var = None
    return y


class Discogan:
    """Images 3x32x32, batch 2, width 2."""

    steps = 2

    def generator(self, w=2):
        def down(c, out, normed=True):
            norm = [nn.BatchNorm2d(out)] if normed else []
            return nn.Sequential(nn.Conv2d(c, out, 4, 2, 1, bias=False), *norm, nn.LeakyReLU(0.2))

        layers = [down(3, w, False), down(w, 2 * w), down(2 * w, 4 * w), down(4 * w, 8 * w)]
        for k in (8 * w, 4 * w, 2 * w):
            layers += [nn.ConvTranspose2d(k, k // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(k // 2), nn.ReLU()]
        return nn.Sequential(*layers, nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False), nn.Sigmoid())

    def nets(self):
        nets = {"GAB": self.generator(), "GBA": self.generator(), "DA": Judge(2), "DB": Judge(2)}
        return {name: well_scaled(net) for name, net in nets.items()}

    def draw(self):
        return {f"{side}.{k}": images([2, 3, 32, 32]) for side in "ab" for k in range(3)}

    def train(self, nets, draws):
        GAB, GBA, DA, DB = (nets[name] for name in ("GAB", "GBA", "DA", "DB"))
        optimG, optimD = adam(GAB, GBA, lr=2e-4, weight_decay=1e-5), adam(DA, DB, lr=2e-4, weight_decay=1e-5)

        def matching(real, made):
            return sum((r.mean(0) - m.mean(0)).square().mean() for r, m in zip(real, made))

        for given in draws:
            losses = {}
            for k in range(3):
                a, b = given[f"a.{k}"] / 255, given[f"b.{k}"] / 255
                if k == 0:
                    toA, toB = held(GBA, b).detach(), held(GAB, a).detach()
                    lossA = (bce(DA(a)[0], 1) + bce(DA(toA)[0], 0)) / 2
                    lossB = (bce(DB(b)[0], 1) + bce(DB(toB)[0], 0)) / 2
                    optimD.zero_grad()
                    (lossA + lossB).backward()
                    optimD.step()
                    losses |= {"loss.DA": lossA.detach(), "loss.DB": lossB.detach()}
                    continue
                toB, toA = GAB(a), GBA(b)
                home = F.mse_loss(GBA(toB), a) + F.mse_loss(GAB(toA), b)
                (madeB, mapsB), (madeA, mapsA) = held(DB, toB), held(DA, toA)
                fool = bce(madeB, 1) + bce(madeA, 1)
                match = matching(held(DB, b)[1], mapsB) + matching(held(DA, a)[1], mapsA)
                lossG = 0.99 * (0.1 * fool + 0.9 * match) + 0.01 * home
                optimG.zero_grad()
                lossG.backward()
                optimG.step()
                losses[f"loss.G.{k}"] = lossG.detach()
            yield losses


class Scorer(nn.Module):
    """StarGAN's discriminator for two halvings of 16x16."""

    def __init__(self, width=4, domains=3):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.01), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.01)
        )
        self.score = nn.Conv2d(2 * width, 1, 3, 1, 1, bias=False)
        self.domain = nn.Conv2d(2 * width, domains, 4, bias=False)

    def forward(self, x):
        h = self.main(x)
        return self.score(h), self.domain(h).flatten(1)


class Stargan:
    """Images 3x16x16 of 3 domains, batch 2, width 4, one block, two updates of D."""

    # A map of ones through the middle of a 7x7 kernel is the same at every place, which the norm takes away.
    undetermined = ("G.0.weight",)
    # With these weights every other gradient is above 3e-6, so that rounding decides no step of Adam.
    seed, steps = 2, 1
    domains = 3

    def nets(self):
        w, n = 4, lambda c: nn.InstanceNorm2d(c, affine=True)
        layers = [nn.Conv2d(3 + self.domains, w, 7, 1, 3, bias=False), n(w), nn.ReLU()]
        for k in (w, 2 * w):
            layers += [nn.Conv2d(k, 2 * k, 4, 2, 1, bias=False), n(2 * k), nn.ReLU()]
        c = 4 * w
        three = {"kernel_size": 3, "padding": 1, "bias": False}
        layers += [Residual(nn.Conv2d(c, c, **three), n(c), nn.ReLU(), nn.Conv2d(c, c, **three), n(c))]
        for k in (4 * w, 2 * w):
            layers += [nn.ConvTranspose2d(k, k // 2, 4, 2, 1, bias=False), n(k // 2), nn.ReLU()]
        G = nn.Sequential(*layers, nn.Conv2d(w, 3, 7, 1, 3, bias=False), nn.Tanh())
        return {"G": well_scaled(G), "D": well_scaled(Scorer(w, self.domains))}

    def draw(self):
        draws = {}
        for k in range(3):
            draws |= {f"x.{k}": images([2, 3, 16, 16])}
            draws |= {f"{name}.{k}": torch.randint(0, self.domains, [2]).float() for name in ("y", "target")}
            draws |= {f"alpha.{k}": torch.rand(2, 1, 1, 1)}
        return draws

    def train(self, nets, draws):
        G, D = nets["G"], nets["D"]
        optimG, optimD = adam(G, lr=1e-4), adam(D, lr=1e-4)

        def to(x, domain):
            maps = F.one_hot(domain.long(), self.domains).to(x.dtype)[:, :, None, None]
            return G(torch.cat([x, maps.expand(-1, -1, *x.shape[2:])], 1))

        for given in draws:
            losses = {}
            for k in range(3):
                x, y, target = given[f"x.{k}"] / 127.5 - 1, given[f"y.{k}"], given[f"target.{k}"]
                if k == 2:
                    made = to(x, target)
                    score, domain = D(made)
                    back = to(made, y)
                    loss = F.cross_entropy(domain, target.long()) - score.mean() + 10 * F.l1_loss(back, x)
                    optim = optimG
                else:
                    made = to(x, target).detach()
                    score, domain = D(x)
                    alpha = given[f"alpha.{k}"]
                    between = (alpha * x + (1 - alpha) * made).requires_grad_()
                    (slope,) = torch.autograd.grad(D(between)[0].sum(), between, create_graph=True)
                    penalty = ((slope.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1).square().mean()
                    loss = D(made)[0].mean() - score.mean() + F.cross_entropy(domain, y.long()) + 10 * penalty
                    optim = optimD
                optim.zero_grad()
                loss.backward()
                optim.step()
                losses[f"loss.{k}"] = loss.detach()
            yield losses


def write(systems):
    """Trains each system from its seed and writes its file."""
    torch.set_num_threads(1)
    for name, system in systems.items():
        torch.manual_seed(getattr(system, "seed", 1))
        nets = {key: net.float() for key, net in system.nets().items()}
        buffers = getattr(system, "buffers", dict)()
        tensors = {f"init/{key}": value for key, value in (state(nets) | buffers).items()}
        draws = [system.draw() for _ in range(getattr(system, "steps", STEPS))]
        nets = {key: net.double() for key, net in nets.items()}
        given = [{key: value.double() for key, value in step.items()} for step in draws]
        losses = list(system.train(nets, given))
        for step in range(len(draws)):
            tensors |= {f"step/{step:02}/{key}": value for key, value in (draws[step] | losses[step]).items()}
        trained = {key: net for key, net in nets.items() if key not in getattr(system, "frozen", ())}
        last = state(trained) | getattr(system, "last", {})
        tensors |= {f"final/{key}": value for key, value in last.items()}
        path = ROOT / "test" / "golden" / f"{name}.safetensors"
        undetermined = " ".join(getattr(system, "undetermined", ()))
        metadata = {"about": system.__doc__, "steps": str(len(draws)), "undetermined": undetermined}
        save(path, {key: value.float().numpy() for key, value in tensors.items()}, metadata)
        print(f"{name}: {path.stat().st_size / 1e6:.2f} MB", {k: round(float(v), 4) for k, v in losses[-1].items()})


if __name__ == "__main__":
    write({"pix2pix": Pix2pix(), "cyclegan": Cyclegan(), "discogan": Discogan(), "stargan": Stargan()})
