"""The network. It writes [batch, cells, 6] for the cells of strides 4, 8, 16 and 32, as YOLOX does for the last three: x, y, w, h, whether a
person is there, and how well the box fits (both as sigmoid scores in an exported graph).

Its trunk, up to stride 16, has the layers of YOLOX-Nano's (Ge et al., 2021) with ReLU for SiLU, and `convert.py` starts it
from the teacher's weights: what the teacher saw in 118 thousand photos is not to be had from our 450. Those convolutions
have their normalisation folded in already. Everything behind the trunk is our own and starts from chance.
"""

import math

import torch
from geometry import CELLS, HEIGHT, WIDTH, ZOOM
from torch import nn
from torch.nn.functional import interpolate, silu


class Bend(nn.Module):
    """SiLU with a sharpness, silu(b x) / b: at 1 the teacher's activation, and in the limit (None) ReLU."""

    def __init__(self):
        super().__init__()
        self.sharpness = None

    def forward(self, x):
        return x.relu_() if self.sharpness is None else silu(x * self.sharpness) / self.sharpness


class InFloat(nn.Conv2d):
    """In float32 even while the rest trains in bfloat16, in which a strided depthwise gradient takes ten times as long."""

    def forward(self, x):
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


def kind(stride, groups):
    return InFloat if stride > 1 and groups > 1 else nn.Conv2d


def folded(i, o, kernel=1, stride=1, groups=1):
    return nn.Sequential(kind(stride, groups)(i, o, kernel, stride, (kernel - 1) // 2, groups=groups), Bend())


def conv(i, o, kernel=1, stride=1, groups=1):
    layers = [kind(stride, groups)(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o, momentum=0.03)]
    return nn.Sequential(*layers, nn.ReLU(True))


def separable(i, o, kernel, stride=1):
    return nn.Sequential(conv(i, i, kernel, stride, i), conv(i, o))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        shape = (channels, channels)
        self.body = nn.Sequential(folded(*shape), folded(*shape, 3, 1, channels), folded(*shape))

    def forward(self, x):
        return x + self.body(x)


class Split(nn.Module):
    """Half of the channels through residual blocks, then beside the other half and mixed: a CSP stage."""

    def __init__(self, channels, depth):
        super().__init__()
        half = channels // 2
        self.left, self.right = folded(channels, half), folded(channels, half)
        self.blocks = nn.Sequential(*(Residual(half) for _ in range(depth)))
        self.mix = folded(channels, channels)

    def forward(self, x):
        return self.mix(torch.cat([self.blocks(self.left(x)), self.right(x)], 1))


class Trunk(nn.Module):
    """Features of strides 4, 8 and 16, of 32, 64 and 128 channels."""

    def __init__(self):
        super().__init__()
        self.stem = folded(3, 16, 6, 2)
        stage = lambda i, o, depth: nn.Sequential(folded(i, i, 3, 2, i), folded(i, o), Split(o, depth))
        self.stages = nn.ModuleList([stage(16, 32, 1), stage(32, 64, 3), stage(64, 128, 3)])

    def fine(self, x):
        return self.stages[0](self.stem(x))

    def forward(self, x):
        x4 = self.fine(x)
        x8 = self.stages[1](x4)
        return x4, x8, self.stages[2](x8)

    def bend(self, sharpness):
        for module in self.modules():
            if isinstance(module, Bend):
                module.sharpness = sharpness
        return self


class Wide(nn.Module):
    """Three max pools in a row beside the input: a wide view for little (SPPF)."""

    def __init__(self, channels):
        super().__init__()
        self.reduce, self.pool, self.mix = conv(channels, channels // 2), nn.MaxPool2d(5, 1, 2), conv(channels * 2, channels)

    def forward(self, x):
        x = self.reduce(x)
        a = self.pool(x)
        b = self.pool(a)
        return self.mix(torch.cat([x, a, b, self.pool(b)], 1))


class Added(nn.Module):
    """Two convolutions, dense or separable, whose result is added; nothing at first."""

    def __init__(self, channels, dense=True):
        super().__init__()
        kernel, groups = (3, 1) if dense else (1, channels)
        last = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, bias=False)
        last = nn.Sequential(last, nn.BatchNorm2d(channels, momentum=0.03))
        nn.init.zeros_(last[1].weight)
        self.body = nn.Sequential(conv(channels, channels, 3, 1, groups), last)

    def forward(self, x):
        return (x + self.body(x)).relu_()


def twice(x):
    return interpolate(x, scale_factor=2.0, mode="nearest")


WIDTHS = (24, 40, 56, 48)
"""Of the neck's features at strides 4, 8, 16 and 32."""


class PersonNano(nn.Module):
    """The trunk, one way down, half a way up (upsample, concat, mix), and a head for each stride: dense convolutions at
    strides 4 and 8, where small people are found and integers gain most, depthwise ones behind."""

    def __init__(self):
        super().__init__()
        finest, fine, middle, coarse = WIDTHS
        self.trunk = Trunk()
        self.fold = conv(32, 32, 3, 2)
        self.deep = nn.Sequential(separable(128, coarse, 5, 2), Wide(coarse))
        self.lateral = nn.ModuleList([conv(32 + 64, fine), conv(128, middle)])
        self.down = nn.ModuleList([
            nn.Sequential(conv(coarse + middle, middle), separable(middle, middle, 3)),
            nn.Sequential(conv(middle + fine, fine), conv(fine, fine, 3), Added(fine)),
            nn.Sequential(conv(finest + 32, finest), conv(finest, finest, 3)),
        ])
        self.narrow = conv(fine, finest)
        self.shrink = separable(fine, middle, 3, 2)
        self.up = nn.Sequential(conv(2 * middle, middle), separable(middle, middle, 3))
        self.heads = nn.ModuleList([
            conv(finest, finest, 3),
            conv(fine, fine, 3),
            nn.Sequential(separable(middle, middle, 3), separable(middle, middle, 3)),
            separable(coarse, coarse, 5),
        ])
        self.place = nn.ModuleList([Added(finest, False), Added(fine, False), nn.Identity(), nn.Identity()])
        self.box = nn.ModuleList(nn.Conv2d(w, 4, 1) for w in WIDTHS)
        self.score = nn.ModuleList(nn.Conv2d(w, 2, 1) for w in WIDTHS)
        self.exporting = False
        for layer in self.score:
            nn.init.constant_(layer.bias, -math.log(99))
        self.register_buffer("cells", torch.from_numpy(CELLS), persistent=False)

    def neck(self, x):
        x = interpolate(x, size=(round(HEIGHT * ZOOM), round(WIDTH * ZOOM)), mode="bilinear")
        x4, x8, x16 = self.trunk(x)
        p8, p16, p32 = self.lateral[0](torch.cat([self.fold(x4), x8], 1)), self.lateral[1](x16), self.deep(x16)
        p16 = self.down[0](torch.cat([twice(p32), p16], 1))
        p8 = self.down[1](torch.cat([twice(p16), p8], 1))
        p4 = self.down[2](torch.cat([twice(self.narrow(p8)), x4], 1))
        return p4, p8, self.up(torch.cat([self.shrink(p8), p16], 1)), p32

    def head(self, features):
        rows = []
        for p, head, place, box, score in zip(features, self.heads, self.place, self.box, self.score):
            h = head(p)
            s = score(h)
            rows.append(torch.cat([box(place(h)), s.sigmoid() if self.exporting else s], 1).flatten(2))
        return torch.cat(rows, 2).transpose(1, 2)

    def forward(self, x):
        return self.head(self.neck(x))

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


def macs(model, width, height):
    """Multiply-accumulates of the convolutions for one picture."""
    total, hooks = 0, []

    def count(layer, _, out):
        nonlocal total
        total += out[0].numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]

    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, height, width))
    for hook in hooks:
        hook.remove()
    return total
