"""The rival of the benchmarks: PyTorch in one long-lived process, one JSON object a line.

    {"cmd": "setup", "case": "dcgan64-w64", "threads": 2}  ->  {"ready": true, "params": 6342272, "torch": "1.13.0"}
    {"cmd": "run", "n": 7}                                 ->  {"ms": [...]}  one time for each step
    {"cmd": "peak"}                                        ->  {"bytes": ...}  most memory that the process ever held
    {"cmd": "quit"}

A request that cannot be met gives {"error": "..."}. Batches are fixed; noise is drawn inside the
timed step, as a training loop draws it. Seeds are fixed. Peak memory is the process's: start one
peer for each case where it matters. Each case has the fastest form found (bench/torch/README.md).
"""

import ctypes
import json
import resource
import sys
import time
import warnings

import biggan as bg
import cyclegan as cg
import stylegan2 as sg2
import systems as s
import torch
from torch import nn
from upscaling_nets import RrdbNet


def dcgan64(width):
    """A whole step: D, G, Adam. Batch 64, images 3x64x64, z 100. Channels last in memory."""
    last = {"memory_format": torch.channels_last}
    G = s.DcganG(z=100, width=width, channels=3, size=64).to(**last)
    D = s.DcganD(width=width, channels=3, size=64).to(**last)
    adams = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (G, D)]
    x = (torch.rand(64, 3, 64, 64) * 2 - 1).contiguous(**last)
    return lambda: s.gan_step(G, D, *adams, x, torch.randn(64, 100)), [G, D]


def wgan_gp_critic():
    """One critic update with gradient penalty. Batch 64, images 3x32x32, width 64, z 128."""
    G = s.wgan_gp_G(z=128, width=64, channels=3, size=32)
    D = s.wgan_gp_D(width=64, channels=3, size=32)
    adam = torch.optim.Adam(D.parameters(), lr=1e-4, betas=(0.0, 0.9))
    x = torch.rand(64, 3, 32, 32) * 2 - 1
    return lambda: s.critic_step(G, D, adam, x, torch.randn(64, 128), torch.rand(64, 1, 1, 1)), [G, D]


def ring8():
    """A whole step, D and G, on points: two hidden layers of 128 tanh units, batch 512, z 256."""

    def mlp(inputs, out):
        return nn.Sequential(nn.Linear(inputs, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, out))

    G, D = mlp(256, 2), mlp(2, 1)
    adams = [torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999)) for net, lr in ((G, 1e-3), (D, 1e-4))]
    angle = torch.randint(8, (512,)) * (torch.pi / 4)
    x = torch.stack([angle.cos(), angle.sin()], 1) + 0.01 * torch.randn(512, 2)
    return lambda: s.gan_step(G, D, *adams, x, torch.randn(512, 256)), [G, D]


def sample_dcgan64():
    """One image 3x64x64 from G, width 64, with its running statistics, traced and frozen."""
    G = s.DcganG(z=100, width=64, channels=3, size=64).eval()
    with torch.no_grad():
        frozen = torch.jit.freeze(torch.jit.trace(G, torch.randn(1, 100)))

    @torch.inference_mode()
    def step():
        return frozen(torch.randn(1, 100))

    return step, [G]


def averaged(*nets):
    """Moves an average of the nets' weights by one step."""
    kept = [p.detach().clone() for net in nets for p in net.parameters()]

    def move(decay):
        with torch.no_grad():
            for old, net_value in zip(kept, (p for net in nets for p in net.parameters())):
                old.lerp_(net_value, 1 - decay)

    return move


def stylegan2(lazy):
    """Images 3x32x32, 64 channels at every size, batch 16, z and w 64, two layers between them: G and D, or, lazily,
    16 of these with the path length every fourth time and R1 once."""
    n, layers, widths = 16, 8, [64] * 4
    M, G = sg2.Mapping(z=64, w=64, layers=2), sg2.Synthesis(widths=widths, channels=3, w=64)
    D = sg2.Discriminator(widths=widths, channels=3, group=4)
    adamG, adamD = sg2.lazy_adam([M, G], 0.002, 4), sg2.lazy_adam([D], 0.002, 16)
    x, mean, average = torch.rand(n, 3, 32, 32) * 2 - 1, torch.zeros([]), averaged(M, G)

    def noise(batch):
        places = [(f"b{4 * 2**k}.conv{j}", 4 * 2**k) for k in range(4) for j in (0, 1) if k > 0 or j > 0]
        return {name: torch.randn(batch, 1, side, side) for name, side in places}

    def ws(batch):
        z, z2 = torch.randn(2, batch, 64)
        return sg2.styles(M, layers, z, z2, torch.rand(1), torch.randint(0, layers - 1, [1]))

    def main():
        with s.only_passing_through(D):
            sg2.descend(adamG, sg2.loss_G(G, D, ws(n), noise(n)))
        average(0.999)
        with torch.no_grad():
            fake = G(ws(n), noise(n))
        sg2.descend(adamD, sg2.loss_D(D, x, fake))

    def path():
        sg2.descend(adamG, sg2.loss_path(G, ws(n // 2), noise(n // 2), torch.randn(n // 2, 3, 32, 32), mean))
        average(0.999)

    def sixteen():
        for i in range(16):
            main()
            if i % 4 == 0:
                path()
            if i == 0:
                sg2.descend(adamD, sg2.loss_r1(D, x, gamma=10.0))

    return sixteen if lazy else main, [M, G, D]


def cyclegan64():
    """A whole step of four nets: images 3x64x64, width 32, six blocks, batch 1, a pool of 50."""
    nets = [cg.generator(32, 6), cg.generator(32, 6), cg.discriminator(32), cg.discriminator(32)]
    optims = [
        torch.optim.Adam([p for net in pair for p in net.parameters()], lr=2e-4, betas=(0.5, 0.999))
        for pair in (nets[:2], nets[2:])
    ]
    pools = [cg.Pool(50), cg.Pool(50)]
    a, b = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    return lambda: cg.step(nets, optims, pools, a, b), nets


def biggan32():
    """D and G once each, with the orthogonal term: images 3x32x32, ten classes, width 32 (128 channels), batch 32."""
    widths = [128] * 4
    last = {"memory_format": torch.channels_last}
    G = bg.Generator(widths=widths, z=120, embedding=128, classes=10, attend=None).to(**last)
    D = bg.Discriminator(widths=widths, n_down=2, classes=10, attend=None).to(**last)
    optims = [torch.optim.Adam(net.parameters(), lr=lr, betas=(0.0, 0.999)) for net, lr in ((G, 5e-5), (D, 2e-4))]
    x = (torch.rand(32, 3, 32, 32) * 2 - 1).contiguous(**last)
    y, average = torch.randint(0, 10, [32]), averaged(G)

    def draw():
        return torch.randn(32, 120), torch.randint(0, 10, [32])

    def step():
        bg.D_step(G, D, optims[1], x, y, *draw())
        bg.G_step(G, D, optims[0], *draw(), 1e-4)
        average(0.999)

    return step, [G, D]


def upscale512():
    """A picture of 512x512 bytes to 2048x2048 by esrgan small, in parts of 192x192 that share 16 pixels on each side."""
    last = {"memory_format": torch.channels_last}
    net = RrdbNet(3, 24, 12, 2).eval().to(**last)
    with torch.no_grad():
        frozen = torch.jit.freeze(torch.jit.trace(net, torch.rand(1, 3, 192, 192).contiguous(**last)))
    picture = torch.randint(0, 256, [1, 3, 512, 512], dtype=torch.uint8)
    starts, cuts = (0, 160, 320), (0, 176, 336, 512)

    @torch.inference_mode()
    def step():
        out = torch.empty(3, 2048, 2048, dtype=torch.uint8)
        for i, top in enumerate(starts):
            for j, left in enumerate(starts):
                part = picture[:, :, top : top + 192, left : left + 192].float() / 255
                large = frozen(part.contiguous(**last))[0]
                rows = slice(4 * (cuts[i] - top), 4 * (cuts[i + 1] - top))
                columns = slice(4 * (cuts[j] - left), 4 * (cuts[j + 1] - left))
                kept = (large[:, rows, columns] * 255).round().clamp(0, 255).byte()
                out[:, 4 * cuts[i] : 4 * cuts[i + 1], 4 * cuts[j] : 4 * cuts[j + 1]] = kept
        return out.permute(1, 2, 0).contiguous()

    return step, [net]


class Styled(nn.Module):
    """z and noise to one image."""

    def __init__(self, widths, layers):
        super().__init__()
        self.M, self.G = sg2.Mapping(z=64, w=64, layers=2), sg2.Synthesis(widths=widths, channels=3, w=64)
        self.layers = layers
        self.places = [(f"b{4 * 2**k}.conv{j}", 4 * 2**k) for k in range(len(widths)) for j in (0, 1) if k > 0 or j > 0]

    def forward(self, z, *noise):
        ws = self.M(z)[:, None].expand(-1, self.layers, -1)
        return self.G(ws, {name: n for (name, _), n in zip(self.places, noise)})


def sample_stylegan2():
    """One image 3x64x64 from z of StyleGAN2 with 64 channels at 4x4 to 32x32 and 32 at 64x64, traced and frozen."""
    net = Styled([64, 64, 64, 64, 32], 10).eval()

    def draw():
        return [torch.randn(1, 64), *(torch.randn(1, 1, side, side) for _, side in net.places)]

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # every size is a constant here
        frozen = torch.jit.freeze(torch.jit.trace(net, draw(), check_trace=False))

    @torch.inference_mode()
    def step():
        return frozen(*draw())

    return step, [net]


CASES = {
    "dcgan64-w64": lambda: dcgan64(64),
    "dcgan64-w32": lambda: dcgan64(32),
    "wgan-gp-critic": wgan_gp_critic,
    "ring8": ring8,
    "sample-dcgan64": sample_dcgan64,
    "stylegan2-32": lambda: stylegan2(lazy=False),
    "stylegan2-32-lazy": lambda: stylegan2(lazy=True),
    "cyclegan64": cyclegan64,
    "biggan32": biggan32,
    "upscale-512": upscale512,
    "sample-stylegan2-64": sample_stylegan2,
}
WARM_UP = 2
sg2.Styled.scaled = True


def timed(step):
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) * 1000


def use_threads(n):
    """Sets the threads of PyTorch and of the BLAS under it; refuses a BLAS that makes a weak rival.

    MKL follows PyTorch, OpenBLAS has to be told. Debian's reference BLAS is some hundred times slower.
    """
    torch.set_num_threads(n)
    if torch.backends.mkl.is_available():
        return
    openblas = ctypes.CDLL("libblas.so.3")
    if not hasattr(openblas, "openblas_set_num_threads"):
        raise ValueError(
            "PyTorch uses the reference BLAS, which would make it a weak rival; "
            "install OpenBLAS, for example: apt-get install libopenblas0-pthread"
        )
    openblas.openblas_set_num_threads(n)


class Peer:
    step = None

    def setup(self, *, case, threads):
        if case not in CASES:
            raise ValueError(f"unknown case {case}; there are {', '.join(CASES)}")
        use_threads(threads)
        torch.manual_seed(0)
        self.step, nets = CASES[case]()
        for _ in range(WARM_UP):
            self.step()
        params = sum(p.numel() for net in nets for p in net.parameters())
        return {"ready": True, "params": params, "torch": torch.__version__}

    def run(self, *, n):
        if self.step is None:
            raise ValueError("run before setup")
        return {"ms": [timed(self.step) for _ in range(n)]}

    def peak(self):
        return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}

    def answer(self, cmd, request):
        commands = {"setup": self.setup, "run": self.run, "peak": self.peak}
        if cmd not in commands:
            raise ValueError(f"unknown cmd {cmd}; there are {', '.join(commands)} and quit")
        return commands[cmd](**request)


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        cmd = request.pop("cmd", None)
        if cmd == "quit":
            return
        try:
            reply = peer.answer(cmd, request)
        except (ValueError, TypeError) as error:
            reply = {"error": str(error)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
