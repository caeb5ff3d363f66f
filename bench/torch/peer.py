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

import systems as s
import torch
from torch import nn


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


CASES = {
    "dcgan64-w64": lambda: dcgan64(64),
    "dcgan64-w32": lambda: dcgan64(32),
    "wgan-gp-critic": wgan_gp_critic,
    "ring8": ring8,
    "sample-dcgan64": sample_dcgan64,
}
WARM_UP = 2


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
