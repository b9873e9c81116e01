"""The designs that were tried. All write [batch, cells, 6] for the cells of strides 8, 16 and 32, as YOLOX does:
x, y, w, h, whether a person is there, and how well the box fits (both as sigmoid scores in an exported graph).
"""

import math

import torch
from geometry import CELLS
from torch import nn


def conv(i, o, kernel=3, stride=1, groups=1, act=True):
    layers = [nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o, momentum=0.03)]
    return nn.Sequential(*layers, nn.ReLU(True)) if act else nn.Sequential(*layers)


def separable(i, o, kernel=3, stride=1):
    return nn.Sequential(conv(i, i, kernel, stride, i), conv(i, o, 1))


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return x + self.body(x)


class Split(nn.Module):
    """Half of the channels through residual blocks, then beside the other half and mixed: a small CSP stage."""

    def __init__(self, channels, depth, block):
        super().__init__()
        half = channels // 2
        self.left, self.right = conv(channels, half, 1), conv(channels, half, 1)
        self.blocks = nn.Sequential(*(block(half) for _ in range(depth)))
        self.mix = conv(2 * half, channels, 1)

    def forward(self, x):
        return self.mix(torch.cat([self.blocks(self.left(x)), self.right(x)], 1))


def plain(channels):
    return Residual(conv(channels, channels), conv(channels, channels))


def light(kernel):
    return lambda channels: Residual(separable(channels, channels, kernel), separable(channels, channels, kernel))


def inverted(channels, kernel=3, expand=3):
    return Residual(
        conv(channels, expand * channels, 1),
        conv(expand * channels, expand * channels, kernel, 1, expand * channels),
        conv(expand * channels, channels, 1, act=False),
    )


class Pool(nn.Module):
    """Three max pools in a row beside the input: a wide view for little (SPPF)."""

    def __init__(self, channels):
        super().__init__()
        self.reduce, self.pool, self.mix = conv(channels, channels // 2, 1), nn.MaxPool2d(5, 1, 2), conv(channels * 2, channels, 1)

    def forward(self, x):
        x = self.reduce(x)
        a = self.pool(x)
        b = self.pool(a)
        return self.mix(torch.cat([x, a, b, self.pool(b)], 1))


def backbone(name):
    """Stages up to stride 8, 16 and 32, and their channels."""
    if name == "plain":  # dense 3x3 everywhere, so narrow
        stem = [conv(3, 12, 3, 2), conv(12, 20, 3, 2), plain(20)]
        return [nn.Sequential(*stem, conv(20, 32, 3, 2), Split(32, 2, plain)),
                nn.Sequential(conv(32, 48, 3, 2), Split(48, 2, plain)),
                nn.Sequential(conv(48, 64, 3, 2), Pool(64))], (32, 48, 64)
    if name == "inverted":  # MobileNetV2's blocks throughout
        stem = [conv(3, 16, 3, 2), separable(16, 16, 3, 2), inverted(16)]
        return [nn.Sequential(*stem, separable(16, 32, 5, 2), inverted(32, 5), inverted(32, 5)),
                nn.Sequential(separable(32, 56, 5, 2), inverted(56, 5), inverted(56, 5)),
                nn.Sequential(separable(56, 80, 5, 2), inverted(80, 5), Pool(80))], (32, 56, 80)
    if name == "hybrid":  # dense where the picture is large and channels few, depthwise where channels are many
        stem = [conv(3, 16, 3, 2), conv(16, 24, 3, 2), plain(24)]
        return [nn.Sequential(*stem, conv(24, 48, 3, 2), Split(48, 2, plain)),
                nn.Sequential(separable(48, 80, 5, 2), Split(80, 2, light(5))),
                nn.Sequential(separable(80, 112, 5, 2), Split(112, 2, light(5)), Pool(112))], (48, 80, 112)
    raise ValueError(f"no design {name}: plain, inverted or hybrid")


class PersonNano(nn.Module):
    """A backbone, one way down and one way up (upsample, concat, mix), and one head for all three strides' widths."""

    def __init__(self, design="hybrid", width=48):
        super().__init__()
        self.design = design
        stages, channels = backbone(design)
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(conv(c, width, 1) for c in channels)
        self.down = nn.ModuleList(nn.Sequential(conv(2 * width, width, 1), separable(width, width, 5)) for _ in range(2))
        self.shrink = nn.ModuleList(separable(width, width, 5, 2) for _ in range(2))
        self.up = nn.ModuleList(nn.Sequential(conv(2 * width, width, 1), separable(width, width, 5)) for _ in range(2))
        self.heads = nn.ModuleList(nn.Sequential(separable(width, width, 5), separable(width, width, 5)) for _ in range(3))
        self.box = nn.ModuleList(nn.Conv2d(width, 4, 1) for _ in range(3))
        self.score = nn.ModuleList(nn.Conv2d(width, 2, 1) for _ in range(3))
        self.exporting = False
        for layer in self.score:
            nn.init.constant_(layer.bias, -math.log(99))
        self.register_buffer("cells", torch.from_numpy(CELLS), persistent=False)

    def forward(self, x):
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        p8, p16, p32 = (lateral(f) for lateral, f in zip(self.lateral, found))
        p16 = self.down[0](torch.cat([nn.functional.interpolate(p32, scale_factor=2.0, mode="nearest"), p16], 1))
        p8 = self.down[1](torch.cat([nn.functional.interpolate(p16, scale_factor=2.0, mode="nearest"), p8], 1))
        p16 = self.up[0](torch.cat([self.shrink[0](p8), p16], 1))
        p32 = self.up[1](torch.cat([self.shrink[1](p16), p32], 1))
        rows = []
        for p, head, box, score in zip((p8, p16, p32), self.heads, self.box, self.score):
            h = head(p)
            s = score(h)
            rows.append(torch.cat([box(h), s.sigmoid() if self.exporting else s], 1).flatten(2))
        return torch.cat(rows, 2).transpose(1, 2)

    def corners(self, raw):
        centre = (raw[..., 0:2] + self.cells[:, 0:2]) * self.cells[:, 2:3]
        size = raw[..., 2:4].clamp(max=6).exp() * self.cells[:, 2:3]
        return torch.cat([centre - size / 2, centre + size / 2], -1)


def fold(model):
    """The model with each BatchNorm in the convolution before it."""
    for module in model.modules():
        if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
            module[0] = torch.nn.utils.fusion.fuse_conv_bn_eval(module[0], module[1])
            module[1] = nn.Identity()
    return model.eval()


def macs(model):
    """Multiply-accumulates of the convolutions for one picture."""
    from geometry import HEIGHT, WIDTH

    total, hooks = 0, []

    def count(layer, _, out):
        nonlocal total
        total += out[0].numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]

    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, HEIGHT, WIDTH))
    for hook in hooks:
        hook.remove()
    return total
