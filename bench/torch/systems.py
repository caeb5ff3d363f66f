"""Three systems in plain PyTorch, written from the papers and independent of Duelo's own code.

The golden files (scripts/golden) hold Duelo to these numbers; the bench peer (peer.py) holds it to
their speed. Layer names are those of PyTorch state dicts. Images are [N, C, H, W].
"""

from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce


def levels(size):
    """How often an image of this side is halved on its way to 4x4: 64 gives 4, 16 gives 2."""
    return (size // 4).bit_length() - 1


# DCGAN, arXiv:1511.06434, in the 4x4-kernel form of pytorch/examples -----------------------------


class DcganG(nn.Module):
    """z [N, z] to images [N, C, size, size] in [-1, 1]."""

    def __init__(self, *, z, width, channels, size):
        super().__init__()
        n = levels(size)
        wide = [width * 2**level for level in range(n)]
        layers = [nn.ConvTranspose2d(z, wide[-1], 4, 1, 0, bias=False), nn.BatchNorm2d(wide[-1]), nn.ReLU(True)]
        for level in reversed(range(n - 1)):
            layers += [
                nn.ConvTranspose2d(wide[level + 1], wide[level], 4, 2, 1, bias=False),
                nn.BatchNorm2d(wide[level]),
                nn.ReLU(True),
            ]
        layers += [nn.ConvTranspose2d(wide[0], channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z):
        return self.main(z.view(*z.shape, 1, 1))


class DcganD(nn.Module):
    """Images to logits [N]; there is no sigmoid layer."""

    def __init__(self, *, width, channels, size):
        super().__init__()
        n = levels(size)
        wide = [width * 2**level for level in range(n)]
        layers = [nn.Conv2d(channels, wide[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for level in range(1, n):
            layers += [
                nn.Conv2d(wide[level - 1], wide[level], 4, 2, 1, bias=False),
                nn.BatchNorm2d(wide[level]),
                nn.LeakyReLU(0.2, True),
            ]
        layers += [nn.Conv2d(wide[-1], 1, 4, 1, 0, bias=False)]
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x).flatten()


def gan_step(G, D, optimG, optimD, x, z):
    """D on real and on fake in two passes, then G with the same fakes through the updated D.

    Returns the two losses, cross entropy on logits, as 0-d tensors.
    """
    fake = G(z)
    real_logits, fake_logits = D(x), D(fake.detach())
    lossD = bce(real_logits, torch.ones_like(real_logits)) + bce(fake_logits, torch.zeros_like(fake_logits))
    descend(optimD, lossD)
    with only_passing_through(D):
        logits = D(fake)
        lossG = bce(logits, torch.ones_like(logits))
        descend(optimG, lossG)
    return lossD.detach(), lossG.detach()


# WGAN-GP, arXiv:1704.00028, with the convolutional nets of the authors' gan_cifar.py --------------


def wgan_gp_G(*, z, width, channels, size):
    """z [N, z] to images in [-1, 1]; 5x5 kernels that double the size."""
    n = levels(size)
    wide = [width * 2**level for level in range(n)]
    up = {"kernel_size": 5, "stride": 2, "padding": 2, "output_padding": 1}
    layers = [
        nn.Linear(z, wide[-1] * 16),
        nn.BatchNorm1d(wide[-1] * 16),
        nn.ReLU(True),
        nn.Unflatten(1, (wide[-1], 4, 4)),
    ]
    for level in reversed(range(n - 1)):
        layers += [
            nn.ConvTranspose2d(wide[level + 1], wide[level], **up),
            nn.BatchNorm2d(wide[level]),
            nn.ReLU(True),
        ]
    layers += [nn.ConvTranspose2d(wide[0], channels, **up), nn.Tanh()]
    return nn.Sequential(*layers)


def wgan_gp_D(*, width, channels, size):
    """Images to scores [N, 1]; no normalisation (Section 4)."""
    n = levels(size)
    wide = [channels] + [width * 2**level for level in range(n)]
    layers = []
    for level in range(n):
        layers += [nn.Conv2d(wide[level], wide[level + 1], 5, 2, 2), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(wide[-1] * 16, 1))


def critic_step(G, D, optimD, x, z, eps, penalty_weight=10.0):
    """Algorithm 1, lines 4 to 9. eps [N, 1, 1, 1] in [0, 1]. Returns the loss (Eq. 3)."""
    with torch.no_grad(), frozen_statistics(G):
        fake = G(z)
    between = (eps * x + (1 - eps) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    norm = (slope.square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
    loss = D(fake).mean() - D(x).mean() + penalty_weight * (norm - 1).square().mean()
    descend(optimD, loss)
    return loss.detach()


def wasserstein_G_step(G, D, optimG, z):
    """Algorithm 1, lines 11 and 12. Returns the loss."""
    with only_passing_through(D):
        loss = -D(G(z)).mean()
        descend(optimG, loss)
    return loss.detach()


# VAE, arXiv:1312.6114, the MLP of pytorch/examples ------------------------------------------------


class VaeE(nn.Module):
    """Images to mean and log variance of z, each [N, z]."""

    def __init__(self, *, pixels, hidden, z):
        super().__init__()
        self.fc1 = nn.Linear(pixels, hidden)
        self.fc21 = nn.Linear(hidden, z)
        self.fc22 = nn.Linear(hidden, z)

    def forward(self, x):
        h = self.fc1(x.flatten(1)).relu()
        return self.fc21(h), self.fc22(h)


class VaeG(nn.Module):
    """z [N, z] to logits of pixels [N, pixels]."""

    def __init__(self, *, pixels, hidden, z):
        super().__init__()
        self.fc3 = nn.Linear(z, hidden)
        self.fc4 = nn.Linear(hidden, pixels)

    def forward(self, z):
        return self.fc4(self.fc3(z).relu())


def vae_step(E, G, optim, x, z):
    """x in [0, 1]. Returns minus the bound (Eq. 10), summed over pixels, z and the batch."""
    mean, log_variance = E(x)
    logits = G(mean + (0.5 * log_variance).exp() * z)
    reconstruction = bce(logits, x.flatten(1), reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
    loss = reconstruction + divergence
    descend(optim, loss)
    return loss.detach()


# What the steps share ------------------------------------------------------------------------------


def descend(optimiser, loss):
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


@contextmanager
def frozen_statistics(net):
    """Batch norm goes on using batch statistics, but its running ones do not move.

    Left alone, PyTorch moves them in every forward pass, also in a pass that trains another net.
    Duelo moves them only in the phase that trains the net itself, and this makes PyTorch do so.
    """
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    yield
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


@contextmanager
def only_passing_through(net):
    """Gradients flow through the net to what came before it; its own are not worked out."""
    for p in net.parameters():
        p.requires_grad_(False)
    with frozen_statistics(net):
        yield
    for p in net.parameters():
        p.requires_grad_(True)
