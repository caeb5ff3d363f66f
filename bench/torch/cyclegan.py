"""CycleGAN in plain PyTorch, written from arXiv:1703.10593 and independent of Duelo's code."""

import torch
from systems import descend
from torch import nn
from torch.nn.functional import l1_loss, mse_loss


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        pad, norm = nn.ReflectionPad2d(1), nn.InstanceNorm2d(c)
        self.body = nn.Sequential(pad, nn.Conv2d(c, c, 3), norm, nn.ReLU(True), pad, nn.Conv2d(c, c, 3), norm)

    def forward(self, x):
        return x + self.body(x)


def generator(width, blocks, channels=3):
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7), nn.InstanceNorm2d(width), nn.ReLU(True)]
    for c in (width, 2 * width):
        layers += [nn.Conv2d(c, 2 * c, 3, 2, 1), nn.InstanceNorm2d(2 * c), nn.ReLU(True)]
    layers += [Block(4 * width) for _ in range(blocks)]
    for c in (4 * width, 2 * width):
        layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1), nn.InstanceNorm2d(c // 2), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh())


def discriminator(width, channels=3):
    """A patch of 70 pixels."""
    layers = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for c, out, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
        layers += [nn.Conv2d(c * width, out * width, 4, stride, 1), nn.InstanceNorm2d(out * width), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


class Pool:
    """Images one by one; when full, with even odds an old one in place of the new."""

    def __init__(self, size):
        self.size, self.images = size, []

    def shown(self, fresh):
        if len(self.images) < self.size:
            self.images.append(fresh)
            return fresh
        if torch.rand([]) >= 0.5:
            return fresh
        at = int(torch.randint(0, self.size, []))
        old, self.images[at] = self.images[at], fresh
        return old


def real(logits):
    return mse_loss(logits, torch.ones_like(logits))


def step(nets, optims, pools, a, b, *, weight=10.0, identity=0.5):
    """Both generators together, then both discriminators on images of the pools."""
    G, F, DA, DB = nets
    for D in (DA, DB):
        D.requires_grad_(False)
    to_b, to_a = G(a), F(b)
    loss = real(DB(to_b)) + real(DA(to_a)) + weight * (l1_loss(F(to_b), a) + l1_loss(G(to_a), b))
    loss = loss + weight * identity * (l1_loss(G(b), b) + l1_loss(F(a), a))
    descend(optims[0], loss)
    for D in (DA, DB):
        D.requires_grad_(True)
    old_a, old_b = pools[0].shown(to_a.detach()), pools[1].shown(to_b.detach())

    def judged(D, x, made):
        return (real(D(x)) + D(made).square().mean()) / 2

    descend(optims[1], judged(DA, a, old_a) + judged(DB, b, old_b))
