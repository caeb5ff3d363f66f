"""The golden runs of the systems in bench/torch/steady.py; make.py writes them."""

import torch
from draws import images, well_scaled
from systems import DcganD, DcganG
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

import steady as st


def adams(nets, **options):
    return {name: torch.optim.Adam(net.parameters(), **options) for name, net in nets.items()}


def unit(x):
    return x / 127.5 - 1


def mlp(*layers):
    return well_scaled(nn.Sequential(*layers))


def scattered(net):
    """Tables, vectors of power iteration and zero weights at random, so that each of them counts."""
    for m in net.modules():
        for name in ("weight", "bias"):
            p = m._parameters.get(name)
            if isinstance(m, (st.Normalised, st.Maxout)) and p is not None:
                nn.init.normal_(p, std=(p.numel() / p.shape[0]) ** -0.5 if name == "weight" else 0.1)
        if isinstance(m, nn.Embedding):
            nn.init.normal_(m.weight, std=0.2)
        if isinstance(m, st.Normalised):
            m.weight_u.copy_(nn.functional.normalize(torch.randn_like(m.weight_u), dim=0))
    return net


class Small:
    """Images 3x16x16, DCGAN's nets, batch 4, z 8, width 4."""

    steps = 3
    undetermined = ()
    pack = 1

    def nets(self):
        G = DcganG(z=8, width=4, channels=3, size=16)
        return {"G": well_scaled(G), "D": well_scaled(DcganD(width=4, channels=3 * self.pack, size=16))}

    def draw(self):
        return {"x": images([4, 3, 16, 16]), "z": torch.randn(4, 8)}


class Lsgan(Small):
    """Images 3x16x16, DCGAN's nets, batch 4, z 8, width 4; least squares."""

    def train(self, nets, draws):
        optims = adams(nets, lr=1e-3, betas=(0.5, 0.999))
        for given in draws:
            yield st.alternate(
                *(nets["G"], nets["D"], optims, unit(given["x"]), given["z"]),
                lossD=lambda real, fake: 0.5 * ((real - 1) ** 2).mean() + 0.5 * (fake**2).mean(),
                lossG=lambda fake: 0.5 * ((fake - 1) ** 2).mean(),
            )


class Pacgan(Small):
    """Images 3x16x16, DCGAN's nets, batch 4, z 8, width 4; packs of 2."""

    pack = 2

    def train(self, nets, draws):
        optims = adams(nets, lr=2e-4, betas=(0.5, 0.999))
        for given in draws:
            yield st.alternate(
                *(nets["G"], nets["D"], optims, unit(given["x"]), given["z"]),
                lossD=lambda real, fake: st.bce_real(real) + st.bce_fake(fake),
                lossG=st.bce_real,
                seen=lambda x: st.packed(x, 2),
            )


class Wgan(Small):
    """Images 3x16x16, DCGAN's nets, batch 4, z 8, width 4; two critic updates to one of G, weights clipped at 0.1."""

    def draw(self):
        return {f"x.{k}": images([4, 3, 16, 16]) for k in (0, 1)} | {f"z.{k}": torch.randn(4, 8) for k in (0, 1, 2)}

    def train(self, nets, draws):
        G, D = nets["G"], nets["D"]
        optims = {name: torch.optim.RMSprop(net.parameters(), lr=5e-5, alpha=0.99) for name, net in nets.items()}
        for given in draws:
            losses = {}
            for k in (0, 1):
                x, z = unit(given[f"x.{k}"]), given[f"z.{k}"]
                losses[f"loss.D.{k}"] = st.clipped_critic_step(G, D, optims["D"], x, z, bound=0.1)
            with st.only_passing_through(D):
                loss = -D(G(given["z.2"])).mean()
                st.descend(optims["G"], loss)
            yield losses | {"loss.G": loss.detach()}


class UnrolledGan(Small):
    """Images 3x16x16, DCGAN's nets, batch 4, z 8, width 4; two updates ahead."""

    def train(self, nets, draws):
        G, D = nets["G"], nets["D"]
        adam = st.OpenAdam(D, 2e-4, (0.5, 0.999))
        optimG = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for given in draws:
            yield st.unrolled_step(G, D, adam, optimG, unit(given["x"]), given["z"], steps=2, lossG="saturates not")


class UnrolledGan2d:
    """Points, batch 8, z 4, two layers of 8 tanh; three updates ahead."""

    steps = 3
    undetermined = ()

    def nets(self):
        def net(n_in, n_out):
            return mlp(nn.Linear(n_in, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, n_out))

        return {"G": net(4, 2), "D": net(2, 1)}

    def draw(self):
        return {"x": torch.randn(8, 2), "z": torch.randn(8, 4)}

    def train(self, nets, draws):
        adam = st.OpenAdam(nets["D"], 1e-4, (0.5, 0.999))
        optimG = torch.optim.Adam(nets["G"].parameters(), lr=1e-3, betas=(0.5, 0.999))
        for given in draws:
            yield st.unrolled_step(nets["G"], nets["D"], adam, optimG, given["x"], given["z"], steps=3, lossG="minimax")


class Pacgan2d:
    """Points, batch 8 in packs of 2, z 2, four layers of 6 with batch norm, three of 4 maxout units of 5 pieces."""

    steps = 3
    # Batch norm takes these biases away; the running means behind them go along.
    undetermined = tuple(n for i in (0, 3, 6, 9) for n in (f"G.{i}.bias", f"G.{i + 1}.running_mean"))

    def nets(self):
        widths = [2, 6, 6, 6, 6]
        hidden = [layer for i in range(4) for layer in (nn.Linear(widths[i], 6), nn.BatchNorm1d(6), nn.ReLU())]
        D = nn.Sequential(nn.Identity(), st.Maxout(4, 4, 5), st.Maxout(4, 4, 5), st.Maxout(4, 4, 5), nn.Linear(4, 1))
        return {"G": mlp(*hidden, nn.Linear(6, 2)), "D": scattered(well_scaled(D))}

    def draw(self):
        return {"x": torch.randn(8, 2), "z": torch.randn(8, 2)}

    def train(self, nets, draws):
        optims = adams(nets, lr=1e-4, betas=(0.8, 0.999))
        for given in draws:
            yield st.alternate(
                *(nets["G"], nets["D"], optims, given["x"], given["z"]),
                lossD=lambda real, fake: st.bce_real(real) + st.bce_fake(fake),
                lossG=st.bce_real,
                seen=lambda x: st.packed(x, 2),
            )


class Sngan:
    """Images 3x16x16, residual nets of width 4, batch 2, z 5; G's step on 4 samples, then two of D."""

    steps = 2
    classes = 0
    # Batch norm takes these biases away; the running means behind them go along.
    undetermined = tuple(f"G.{i}.{b}.bias" for i in (2, 3) for b in ("body.3", "body.6", "shortcut.1")) + tuple(
        f"G.{m}.running_mean" for m in ("2.body.4", "3.body.0", "3.body.4", "4")
    )

    def nets(self):
        G = scattered(well_scaled(st.SnG(z=5, width=4, channels=3, classes=self.classes)))
        return {"G": G, "D": scattered(well_scaled(st.SnD(width=4, channels=3, classes=self.classes)))}

    def draw(self):
        given = {"zG.0": torch.randn(4, 5)}
        for k in (1, 2):
            given |= {f"x.{k}": images([2, 3, 16, 16]), f"z.{k}": torch.randn(2, 5)}
        if self.classes:
            given["yG.0"] = torch.randint(0, self.classes, [4])
            for k in (1, 2):
                given |= {f"{y}.{k}": torch.randint(0, self.classes, [2]) for y in ("y", "yFake")}
        return given

    def train(self, nets, draws):
        optims = adams(nets, lr=2e-4, betas=(0.0, 0.9))
        for given in draws:
            fed = {"z.0": given["zG.0"], "y.0": [given["yG.0"].long()] if self.classes else []}
            for k in (1, 2):
                fed |= {f"x.{k}": unit(given[f"x.{k}"]), f"z.{k}": given[f"z.{k}"]}
                fed |= {f"{y}.{k}": [given[f"{y}.{k}"].long()] if self.classes else [] for y in ("y", "yFake")}
            yield st.sn_steps(nets["G"], nets["D"], optims, fed, 2)


class SnganProjection(Sngan):
    """As sngan, with three classes."""

    classes = 3


class R3gan:
    """Images 3x16x16, one block of width 4 a level, groups of 2, batch 3, z 5."""

    steps = 2
    undetermined = ()

    def nets(self):
        return {"G": st.R3G(5, 4, 3, 2), "D": st.R3D(4, 3, 2)}

    def draw(self):
        return {f"x.{k}": images([3, 3, 16, 16]) for k in (0, 1)} | {f"z.{k}": torch.randn(3, 5) for k in (0, 1)}

    def train(self, nets, draws):
        optims = adams(nets, lr=2e-4, betas=(0.0, 0.99))
        for given in draws:
            xs = [self.seen(given[f"x.{k}"]) for k in (0, 1)]
            yield st.r3gan_steps(nets["G"], nets["D"], optims, xs, [given["z.0"], given["z.1"]], gamma=0.05)

    def seen(self, x):
        return unit(x)


class R3gan2d(R3gan):
    """Points, two blocks of width 6, batch 5, z 3."""

    def nets(self):
        def net(n_in, n_out):
            return mlp(nn.Linear(n_in, 6), st.PlaneBlock(6), st.PlaneBlock(6), nn.Linear(6, n_out))

        return {"G": net(3, 2), "D": net(2, 1)}

    def draw(self):
        return {f"x.{k}": torch.randn(5, 2) for k in (0, 1)} | {f"z.{k}": torch.randn(5, 3) for k in (0, 1)}

    def seen(self, x):
        return x


class SteadyGan(Small):
    """Images 3x16x16, batch 4, z 8, width 4; smoothed labels, discrimination, deviation, then lazy R1."""

    def nets(self):
        D = st.RemedyD(width=4, channels=3, kernels=2, dims=5)
        return {"G": well_scaled(DcganG(z=8, width=4, channels=3, size=16)), "D": well_scaled(D)}

    def draw(self):
        return {"x": images([4, 3, 16, 16]), "z": torch.randn(4, 8), "x.1": images([4, 3, 16, 16])}

    def train(self, nets, draws):
        optims = adams(nets, lr=2e-4, betas=(0.5, 0.999))
        for given in draws:
            losses = st.alternate(
                *(nets["G"], nets["D"], optims, unit(given["x"]), given["z"]),
                lossD=lambda real, fake: bce(real, torch.full_like(real, 0.9)) + st.bce_fake(fake),
                lossG=st.bce_real,
            )
            r1 = 10 * 16 / 2 * st.squared_slope(nets["D"], unit(given["x.1"]))
            optims["D"].zero_grad(set_to_none=False)  # weights without a slope still move by their moments
            r1.backward()
            optims["D"].step()
            yield losses | {"loss.R1": r1.detach()}


systems = {
    "lsgan": Lsgan(),
    "wgan": Wgan(),
    "sngan": Sngan(),
    "sngan-projection": SnganProjection(),
    "pacgan": Pacgan(),
    "pacgan-2d": Pacgan2d(),
    "unrolled-gan": UnrolledGan(),
    "unrolled-gan-2d": UnrolledGan2d(),
    "r3gan": R3gan(),
    "r3gan-2d": R3gan2d(),
    "steady-gan": SteadyGan(),
}
