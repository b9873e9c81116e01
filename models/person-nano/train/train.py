"""Trains the network on the pools, in bfloat16: SimOTA, IoU loss and cross-entropy where there are labels; on photos also the
teacher's word cell by cell. AdamW, warm-up and one cosine; the trunk learns slowly, its first layers not at all. Of the
weights' moving average the last state and the best by the validation split are kept.
"""

import argparse
import copy
import math
import os
import time
from pathlib import Path

os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # large pages: a fifth less time
import numpy as np
import torch
from assign import assign, within
from geometry import CELLS, HEIGHT, TAUGHT_CELLS, WIDTH, mirror_order
from model import PersonNano, macs
from score import average_precision, detect
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

MIRROR = torch.from_numpy(mirror_order())
UNTAUGHT = len(CELLS) - len(TAUGHT_CELLS)
"""Cells of the finest stride, which come first."""
TRUNK_RATE = 0.4
"""Of the rate of the rest."""
JUDGED = 10_000
"""Pictures after which the moving average is judged."""


class Pool:
    def __init__(self, folder):
        load = lambda name: np.load(folder / f"{name}.npy", mmap_mode="r")
        self.images, self.boxes, self.labelled = load("images"), load("boxes"), load("labelled")
        self.taught = (folder / "teacher.npy").exists()
        if self.taught:
            self.said = load("teacher")
        self.count = len(self.images)

    def draw(self, indices):
        """Images [n, 3, H, W] 0..1, boxes [n, most, 5], whether labelled, and what the teacher said, [n, cells, 5]."""
        wide = lambda array: torch.from_numpy(array[indices].astype(np.float32))
        said = wide(self.said) if self.taught else torch.zeros(len(indices), len(MIRROR), 5)
        return wide(self.images) / 255, wide(self.boxes), torch.from_numpy(self.labelled[indices]), said


def augment(batch, mirrored, taught, generator):
    """Mirrors those chosen; changes light, colour, sharpness and noise of the first `taught`, which are photos: a scene's
    renderer has done that already."""
    every, boxes, labelled, said = batch
    every[mirrored] = every[mirrored].flip(-1)
    image, n = every[:taught], taught
    chosen = lambda share: torch.nonzero(torch.rand(n, generator=generator) < share).flatten()
    used = (boxes[..., 2:3] > boxes[..., 0:1]) & mirrored[:, None, None]
    flip = lambda x: torch.cat([WIDTH - x[..., 2:3], x[..., 1:2], WIDTH - x[..., 0:1], x[..., 3:]], -1)
    boxes = torch.where(used, flip(boxes), boxes)
    said = torch.where(mirrored[:, None, None], flip(said[:, MIRROR]), said)

    gain = (torch.rand(n, 1, 1, 1, generator=generator) * 0.7 + 0.65) * (1 + 0.06 * torch.randn(n, 3, 1, 1, generator=generator))
    image.mul_(gain).add_(torch.rand(n, 1, 1, 1, generator=generator) * 0.16 - 0.08)
    for i in chosen(0.35):
        grey, colour = image[i].mean(0), torch.rand(1, generator=generator) * 1.5
        image[i].lerp_(grey.expand(3, -1, -1), 1 - (colour if colour > 0.4 else 0))
    for i in chosen(0.1):
        image[i] = nn.functional.avg_pool2d(image[i : i + 1], 3, 1, 1)[0]
    for i in chosen(0.15):
        image[i] += 0.03 * torch.randn(image[i].shape, generator=generator)
    image.clamp_(0, 1)
    return every, boxes, labelled, said


def giou_loss(a, b):
    """1 - generalised IoU of paired corners [n, 4]."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).clamp(min=0).prod(-1)
    union = (area(a) + area(b) - both).clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1).clamp(min=1e-6)
    return 1 - both / union + (hull - union) / hull


def loss_of(model, raw, batch, taught):
    """Per box: presence, fit (its target is the IoU) and box on labelled pictures; on the first `taught` ones the teacher's
    presence and box."""
    _, boxes, labelled, said = batch
    boxes = boxes[:, : max(1, int((boxes[..., 2] > boxes[..., 0]).sum(1).max()))]
    hardly, boxes = boxes * (boxes[..., 4:] > 0), (boxes * (boxes[..., 4:] == 0))[..., :4]
    corners, presence, fit = model.corners(raw), raw[..., 4], raw[..., 5]
    owner, iou = assign(boxes, corners.detach(), (presence.sigmoid() * fit.sigmoid()).detach(), model.cells)
    positive = (owner >= 0) & labelled[:, None]
    # Who is hardly seen, or unlabelled though the teacher sees him, is no counterexample.
    point = (model.cells[:, :2] + 0.5) * model.cells[:, 2:]
    seen = nn.functional.pad(said[..., 4] > 0.4, (UNTAUGHT, 0))
    known = labelled[:, None] & (positive | ~(seen | within(point, hardly).any(1)))
    count = positive.sum().clamp(min=1)
    total = (cross_entropy(presence, positive.float(), reduction="none") * known).sum() / count
    if positive.any():
        target = boxes.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))[positive]
        total = total + 5 * giou_loss(corners[positive], target).sum() / count
        total = total + cross_entropy(fit[positive], iou[positive], reduction="sum") / count
    word = said[:taught, :, 4]
    weight = word * (word > 0.1)
    mass = weight.sum().clamp(min=1)
    total = total + cross_entropy(presence[:taught, UNTAUGHT:], word, reduction="sum") / mass
    sure = weight > 0.25
    if sure.any():
        pull = giou_loss(corners[:taught, UNTAUGHT:][sure], said[:taught, :, :4][sure])
        total = total + 3 * (pull * weight[sure]).sum() / mass
    return total


@torch.no_grad()
def validate(model, pool):
    model.eval()
    predictions = []
    for start in range(0, pool.count, 16):
        raw = model(pool.draw(np.arange(start, min(start + 16, pool.count)))[0].contiguous(memory_format=torch.channels_last))
        score = raw[..., 4].sigmoid() * raw[..., 5].sigmoid()
        predictions += [detect(c.numpy(), s.numpy()) for c, s in zip(model.corners(raw), score)]
    return average_precision(predictions, [b[b[:, 2] > b[:, 0]] for b in pool.boxes])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--trunk", type=Path, required=True, help="converted by convert.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--pictures", type=int, default=200_000, help="pictures seen in all")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--scenes", type=float, default=0.5, help="share of rendered scenes")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng, generator = np.random.default_rng(args.seed), torch.Generator().manual_seed(args.seed)
    real, scenes = Pool(args.pool / "real"), Pool(args.pool / "scenes")
    model = PersonNano()
    model.trunk.load_state_dict(torch.load(args.trunk, weights_only=True))
    if args.start:
        model.load_state_dict(torch.load(args.start, weights_only=True)["model"])
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {macs(model, WIDTH, HEIGHT) / 1e6:.1f} MMACs", flush=True)
    for part in (model.trunk.stem, model.trunk.stages[0]):
        part.requires_grad_(False)
    model = model.train().to(memory_format=torch.channels_last)
    judge = Judge(model, args)
    optimiser = torch.optim.AdamW(groups(model), args.rate, fused=True)

    steps, taught = args.pictures // args.batch, args.batch - round(args.batch * args.scenes)
    for step in range(steps):
        rate = args.rate * min(1, (step + 1) / 300) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        choose = lambda pool, n: np.sort(rng.choice(pool.count, n, False))
        parts = [real.draw(choose(real, taught)), scenes.draw(choose(scenes, args.batch - taught))]
        mirrored = torch.rand(args.batch, generator=generator) < 0.5
        batch = augment([torch.cat(x) for x in zip(*parts)], mirrored, taught, generator)
        with torch.autocast("cpu", torch.bfloat16):
            raw = model(batch[0].contiguous(memory_format=torch.channels_last)).float()
        loss = loss_of(model, raw, batch, taught)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimiser.step()
        judge.follow(model, step, steps, loss.item())


def groups(model):
    """Parameters by whether they decay and by their share of the rate."""
    parts = [(model.trunk, TRUNK_RATE), (nn.ModuleList(m for name, m in model.named_children() if name != "trunk"), 1)]
    return [
        {"params": [p for p in part.parameters() if p.requires_grad and (p.ndim > 1) == decays], "weight_decay": 0.02 * decays, "share": share}
        for part, share in parts
        for decays in (True, False)
    ]


class Judge:
    """Keeps the moving average of the weights, and of its states the best on the validation split."""

    def __init__(self, model, args):
        self.mean, self.args = copy.deepcopy(model).eval(), args
        self.photos, self.scenes = Pool(args.pool / "validation"), Pool(args.pool / "scenes-validation")
        self.best, self.began, self.losses = -1.0, time.time(), []

    @torch.no_grad()
    def follow(self, model, step, steps, loss):
        decay = min(0.999, (1 + step) / (10 + step))
        for kept, new in zip(self.mean.state_dict().values(), model.state_dict().values()):
            kept.lerp_(new, 1 - decay) if kept.is_floating_point() else kept.copy_(new)
        self.losses.append(loss)
        if (step + 1) % 100 == 0:
            print(f"{step + 1}/{steps} {time.time() - self.began:.0f} s loss {np.mean(self.losses[-100:]):.3f}", flush=True)
        if (step + 1) % (JUDGED // self.args.batch) == 0 or step + 1 == steps:
            self.decide()

    def decide(self):
        photos, scenes = validate(self.mean, self.photos), validate(self.mean, self.scenes)
        state = {"model": self.mean.state_dict(), "photos": photos, "scenes": scenes}
        torch.save(state, self.args.out / "last.pt")
        if photos + scenes > self.best:
            self.best = photos + scenes
            torch.save(state, self.args.out / "best.pt")
        seen = len(self.losses) * self.args.batch
        print(f"{seen} pictures: photos AP50 {photos:.3f}, scenes AP50 {scenes:.3f}", flush=True)


if __name__ == "__main__":
    main()
