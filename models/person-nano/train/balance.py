"""Brings channels to one range without changing what the network computes, so that eight bits serve them all: ReLU lets a
positive factor pass, so what a convolution's channel loses, the convolutions behind it get back (Nagel et al.,
"Data-Free Quantization", 2019, section 4.1; ranges here are measured). The trunk came with single channels much larger
than their neighbours.
"""

import torch
from model import Residual, Split
from torch import nn

SMALLEST = 1e-3
"""Of the largest channel's range: a channel below that is taken as this large."""


def first(block):
    return next(m for m in block.modules() if isinstance(m, nn.Conv2d))


def groups_of(model):
    """([convolutions that write the same channels], [(convolution that reads them, its first channel of them)])."""
    trunk = model.trunk
    found = [([trunk.stem], [(trunk.stages[0][0], 0)])]
    behind = [
        [(trunk.stages[1][0], 0), (model.fold, 0), (model.down[2][0], model.narrow[0].out_channels)],
        [(trunk.stages[2][0], 0), (model.lateral[0], 32)],
        [(model.lateral[1], 0), (model.deep[0][0], 0)],
    ]
    for stage, readers in zip(trunk.stages, behind):
        split = stage[2]
        half = first(split.right).out_channels
        found += [([stage[0]], [(stage[1], 0)]), ([stage[1]], [(split.left, 0), (split.right, 0)])]
        found += [([split.right], [(split.mix, half)]), ([split.mix], readers)]
        bodies = [block.body for block in split.blocks]
        found.append(([split.left, *(b[2] for b in bodies)], [*((b[0], 0) for b in bodies), (split.mix, 0)]))
        found += [pair for b in bodies for pair in (([b[0]], [(b[1], 0)]), ([b[1]], [(b[2], 0)]))]
    for pair in model.modules():
        if type(pair) is nn.Sequential and len(pair) == 2 and all(isinstance(p, nn.Sequential) for p in pair):
            if first(pair[0]).groups > 1 and first(pair[1]).groups == 1 and pair[0] is not trunk.stages[0][0]:
                found.append(([pair[0]], [(pair[1], 0)]))
    return [([first(w) for w in writers], [(first(r), at) for r, at in readers]) for writers, readers in found]


@torch.no_grad()
def balance(model, images):
    """model: folded; images [n, 3, H, W] to measure ranges on. Changes its weights, not its output."""
    ranges, hooks = {}, []
    watch = lambda module: hooks.append(module.register_forward_hook(lambda m, _, out: ranges.__setitem__(m, out.amax((0, 2, 3)))))
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, Residual)):
            watch(module)
    model(images)
    for hook in hooks:
        hook.remove()
    streams = {first(s.left): [*s.blocks] for s in model.modules() if isinstance(s, Split)}
    for writers, readers in groups_of(model):
        count = writers[0].out_channels
        measured = [writers[0], *streams.get(writers[0], [])] if len(writers) > 1 else writers
        high = torch.stack([ranges[m] for m in measured]).amax(0)
        high = high.clamp(min=SMALLEST * high.max())
        dense = [r.weight[:, at : at + count].abs().amax((0, 2, 3)) for r, at in readers if r.groups == 1]
        factor = high
        if dense:
            weight = torch.stack(dense).amax(0)
            factor = (high / weight.clamp(min=SMALLEST * weight.max())).sqrt()
        factor = factor / factor.log().mean().exp()
        for writer in writers:
            writer.weight /= factor[:, None, None, None]
            writer.bias /= factor
        for reader, at in readers:
            if reader.groups == 1:
                reader.weight[:, at : at + count] *= factor[None, :, None, None]
            else:
                reader.weight *= factor[:, None, None, None]
    return model
