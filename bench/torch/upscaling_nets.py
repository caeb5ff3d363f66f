"""ESRGAN's generator in plain PyTorch, written from arXiv:1809.00219; names are those of Duelo's state."""

import torch
from torch import nn
from torch.nn import functional as F


def conv(c, out, k=3, **more):
    return nn.Conv2d(c, out, k, padding=k // 2, **more)


class Dense(nn.Module):
    def __init__(self, w, growth):
        super().__init__()
        for k in range(5):
            self.add_module(f"conv{k + 1}", conv(w + k * growth, growth if k < 4 else w))

    def forward(self, x):
        maps = [x]
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            maps.append(F.leaky_relu(layer(torch.cat(maps, 1)), 0.2))
        return x + 0.2 * self.conv5(torch.cat(maps, 1))


class Rrdb(nn.Module):
    def __init__(self, w, growth):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (Dense(w, growth) for _ in range(3))

    def forward(self, x):
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


class RrdbNet(nn.Module):
    """Images to images at four times their size."""

    def __init__(self, channels, w, growth, blocks):
        super().__init__()
        self.conv_first = conv(channels, w)
        self.body = nn.Sequential(*(Rrdb(w, growth) for _ in range(blocks)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (conv(w, w) for _ in range(4))
        self.conv_last = conv(w, channels)

    def forward(self, x):
        first = self.conv_first(x)
        y = first + self.conv_body(self.body(first))
        y = F.leaky_relu(self.conv_up1(F.interpolate(y, scale_factor=2.0, mode="nearest")), 0.2)
        y = F.leaky_relu(self.conv_up2(F.interpolate(y, scale_factor=2.0, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(y), 0.2))
