"""What golden runs begin with: pictures, and weights of a good scale."""

import torch
from torch import nn


def images(shape):
    """Pixels 0 to 255 of smooth random patterns: coarse noise, enlarged, so that neighbours agree."""
    coarse = torch.randn(*shape[:2], 4, 4)
    smooth = nn.functional.interpolate(coarse, size=shape[2:], mode="bilinear", align_corners=False)
    return ((smooth.tanh() + 1) * 127.5).round()


def well_scaled(net):
    """Weights that keep activations near 1 at these widths, so that no gradient drowns in rounding."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            out = module.weight.shape[1 if isinstance(module, nn.ConvTranspose2d) else 0]
            # Inputs that reach one output value; a stride of 2 spreads a transposed kernel over 4 of them.
            fan_in = module.weight.numel() // out
            if isinstance(module, nn.ConvTranspose2d):
                fan_in //= module.stride[0] ** 2
            nn.init.normal_(module.weight, std=fan_in**-0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) and module.affine:
            nn.init.normal_(module.weight, 1.0, 0.1)
            nn.init.normal_(module.bias, 0.0, 0.1)
    return net
