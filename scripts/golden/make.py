"""Writes the golden training runs: 20 steps of dcgan, wgan-gp and vae by PyTorch.

    python3 scripts/golden/make.py

Each run is made twice from the same float32 weights, batches and noise: in float64, which is what
the files hold (rounded to float32), and in float32, to say how far rounding alone carries a run.
"""

import sys
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "torch"))
import stylegan2 as sg2  # noqa: E402
import systems as s  # noqa: E402
from biggan_runs import systems as biggan  # noqa: E402
from draws import images, well_scaled  # noqa: E402
from safetensors import save  # noqa: E402
from steady_runs import systems as steady  # noqa: E402

STEPS = 20


class Dcgan:
    """Images 3x16x16, batch 8, z 16, width 8."""

    undetermined = ()

    def nets(self):
        G = s.DcganG(z=16, width=8, channels=3, size=16)
        D = s.DcganD(width=8, channels=3, size=16)
        return {"G": well_scaled(G), "D": well_scaled(D)}

    def draw(self):
        return {"x": images([8, 3, 16, 16]), "z": torch.randn(8, 16)}

    def train(self, nets, draws):
        G, D = nets["G"], nets["D"]
        adams = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (G, D)]
        for given in draws:
            lossD, lossG = s.gan_step(G, D, *adams, given["x"] / 127.5 - 1, given["z"])
            yield {"loss.D": lossD, "loss.G": lossG}


class WganGp:
    """Images 3x16x16, batch 4, z 16, width 8, two critic updates to one of G."""

    critics = 2
    # Biases that batch norm takes away again have no gradient but rounding, which Adam enlarges to its
    # full rate; the running means go where the biases go.
    undetermined = ("G.main.0.bias", "G.main.1.running_mean", "G.main.4.bias", "G.main.5.running_mean")

    def nets(self):
        G = nn.Module()
        G.main = s.wgan_gp_G(z=16, width=8, channels=3, size=16)
        D = nn.Module()
        D.main = s.wgan_gp_D(width=8, channels=3, size=16)
        return {"G": well_scaled(G), "D": well_scaled(D)}

    def draw(self):
        given = {}
        for k in range(self.critics):
            given |= {f"x.{k}": images([4, 3, 16, 16]), f"z.{k}": torch.randn(4, 16), f"eps.{k}": torch.rand(4, 1, 1, 1)}
        return given | {f"z.{self.critics}": torch.randn(4, 16)}

    def train(self, nets, draws):
        G, D = nets["G"].main, nets["D"].main
        optimG, optimD = (torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.0, 0.9)) for net in (G, D))
        for given in draws:
            losses = {}
            for k in range(self.critics):
                x, z, eps = (given[f"{name}.{k}"] for name in ("x", "z", "eps"))
                losses[f"loss.D.{k}"] = s.critic_step(G, D, optimD, x / 127.5 - 1, z, eps)
            yield losses | {"loss.G": s.wasserstein_G_step(G, D, optimG, given[f"z.{self.critics}"])}


class Vae:
    """Images 1x8x8 in [0, 1], batch 8, z 4, 32 hidden units."""

    undetermined = ()

    def nets(self):
        E, G = s.VaeE(pixels=64, hidden=32, z=4), s.VaeG(pixels=64, hidden=32, z=4)
        return {"E": E, "G": G}

    def draw(self):
        return {"x": images([8, 1, 8, 8]), "z": torch.randn(8, 4)}

    def train(self, nets, draws):
        E, G = nets["E"], nets["G"]
        optim = torch.optim.Adam([*E.parameters(), *G.parameters()], lr=1e-3)
        for given in draws:
            yield {"loss": s.vae_step(E, G, optim, given["x"] / 255, given["z"])}


class StyleGan2:
    """Images 3x8x8, batch 4, z 5, w 6, two layers from z to w, channels 8 and 4."""

    undetermined = ()
    steps = 4

    def nets(self):
        M = sg2.Mapping(z=5, w=6, layers=2)
        G = sg2.Synthesis(widths=[8, 4], channels=3, w=6)
        D = sg2.Discriminator(widths=[8, 4], channels=3, group=2)
        state = nn.Module()
        state.register_buffer("path_mean", torch.zeros([]))
        for net in (M, G, D):
            for value in net.parameters():
                if not value.any():
                    nn.init.normal_(value, std=0.1)  # biases and noise strengths, so that they count
        return {"M": M, "G": G, "D": D, "state": state}

    def draw(self):
        given = {}
        for k, n in ((0, 4), (1, 2), (2, 4)):
            given |= {f"z.{k}": torch.randn(4, 5), f"z2.{k}": torch.randn(4, 5)}
            given |= {f"coin.{k}": torch.rand(1), f"cut.{k}": torch.randint(0, 3, [1])}
            for name, side in (("b4.conv1", 4), ("b8.conv0", 8), ("b8.conv1", 8)):
                given[f"noise/G.{name}.{k}"] = torch.randn(n, 1, side, side)
        given["along.1"] = torch.randn(2, 3, 8, 8)
        return given | {"x.2": images([4, 3, 8, 8]), "x.3": images([4, 3, 8, 8])}

    def train(self, nets, draws):
        M, G, D, mean = nets["M"], nets["G"], nets["D"], nets["state"].path_mean
        adamG, adamD = sg2.lazy_adam([M, G], 0.002, 4), sg2.lazy_adam([D], 0.002, 16)
        for given in draws:
            noise = [{key[8:-2]: v for key, v in given.items() if key.startswith("noise/G.") and key[-1] == str(k)} for k in range(3)]

            def ws(k, n):
                return sg2.styles(M, 4, *(given[f"{key}.{k}"][:n] for key in ("z", "z2", "coin", "cut")))

            x = [given[f"x.{k}"] / 127.5 - 1 for k in (2, 3)]
            losses = {"loss.G": sg2.descend(adamG, sg2.loss_G(G, D, ws(0, 4), noise[0]))}
            losses["loss.path"] = sg2.descend(adamG, sg2.loss_path(G, ws(1, 2), noise[1], given["along.1"], mean))
            with torch.no_grad():
                average = M.w_avg.clone()  # moves in G's phases only
                fake = G(ws(2, 4), noise[2])
                M.w_avg.copy_(average)
            losses["loss.D"] = sg2.descend(adamD, sg2.loss_D(D, x[0], fake))
            losses["loss.r1"] = sg2.descend(adamD, sg2.loss_r1(D, x[1], gamma=10.0))
            yield losses


def state(nets):
    """Weights and running statistics by full name, copied to float64."""
    return {
        f"{name}.{key}": value.detach().double().clone()
        for name, net in nets.items()
        for key, value in net.state_dict().items()
        if not key.endswith("num_batches_tracked")  # a count that Duelo does not keep
    }


def run(system, first, draws, dtype):
    """Trains from the state `first`; returns the losses of every step and the last state."""
    nets = {name: net.to(dtype) for name, net in system.nets().items()}
    for name, net in nets.items():
        own = {key: first[f"{name}.{key}"] for key in net.state_dict() if f"{name}.{key}" in first}
        net.load_state_dict(own, strict=False)
        net.train()
    given = [{key: value.to(dtype) for key, value in step.items()} for step in draws]
    losses = [{key: value.double() for key, value in step.items()} for step in system.train(nets, given)]
    return losses, state(nets)


def deviation(ours, theirs):
    """Largest difference, relative to the tensor's largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def shown(losses):
    return ", ".join(f"{key} {float(value):.4f}" for key, value in losses.items())


def main():
    torch.set_num_threads(1)
    folder = ROOT / "test" / "golden"
    chosen = sys.argv[1:]
    own = {"dcgan": Dcgan(), "wgan-gp": WganGp(), "vae": Vae(), "stylegan2": StyleGan2()}
    for name, system in (own | steady | biggan).items():
        if chosen and name not in chosen:
            continue
        torch.manual_seed(1)
        first = state(system.nets())
        steps = getattr(system, "steps", STEPS)
        draws = [system.draw() for _ in range(steps)]
        losses, last = run(system, first, draws, torch.float64)
        losses32, last32 = run(system, first, draws, torch.float32)

        tensors = {f"init/{key}": value for key, value in first.items()}
        for step in range(steps):
            tensors |= {f"step/{step:02}/{key}": value for key, value in (draws[step] | losses[step]).items()}
        tensors |= {f"final/{key}": value for key, value in last.items()}
        path = folder / f"{name}.safetensors"
        metadata = {"about": system.__doc__, "steps": str(steps), "undetermined": " ".join(system.undetermined)}
        save(path, {key: value.numpy() for key, value in tensors.items()}, metadata)

        print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, losses {shown(losses[0])} to {shown(losses[-1])}")
        far = {key: deviation(last32[key], last[key]) for key in last}
        far |= {
            key: max(abs(float(b[key] - a[key])) / max(1e-30, abs(float(a[key]))) for a, b in zip(losses, losses32))
            for key in losses[0]
        }
        moved = {key: deviation(last[key], first[key]) for key in last if float(first[key].abs().max()) > 0}
        for key, value in sorted(far.items(), key=lambda item: -item[1]):
            print(f"  {key}: float32 differs by {value:.1e}" + (f", training moved it by {moved[key]:.1e}" if key in moved else ""))


if __name__ == "__main__":
    main()
