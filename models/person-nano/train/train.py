"""Trains one design on the pools: SimOTA, IoU loss and cross-entropy where there are labels, the teacher's word cell by
cell where it has spoken. AdamW, warm-up and cosine, an exponential moving average whose best state by the photos'
validation split is kept.
"""

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from assign import assign
from geometry import mirror_order
from model import PersonNano, macs
from score import average_precision, detect
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

MIRROR = torch.from_numpy(mirror_order())


class Pool:
    def __init__(self, folder):
        load = lambda name: np.load(folder / f"{name}.npy", mmap_mode="r")
        self.images, self.boxes, self.labelled = load("images"), load("boxes"), load("labelled")
        self.teacher = load("teacher") if (folder / "teacher.npy").exists() else None
        self.count = len(self.images)

    def draw(self, indices, cells):
        """Images [n, 3, H, W] 0..1, boxes, labelled, teacher [n, cells, 5] and whether it spoke."""
        image = torch.from_numpy(self.images[indices]).float() / 255
        taught = torch.full((len(indices),), self.teacher is not None)
        teacher = torch.zeros(len(indices), cells, 5)
        if self.teacher is not None:
            teacher = torch.from_numpy(self.teacher[indices].astype(np.float32))
        return image, torch.from_numpy(self.boxes[indices]), torch.from_numpy(self.labelled[indices]), teacher, taught


def augment(batch, generator):
    """Mirrors half, and changes light, colour, sharpness and noise."""
    image, boxes, labelled, teacher, taught = batch
    n, _, _, width = image.shape
    draw = lambda low, high: torch.rand(n, 1, 1, 1, generator=generator) * (high - low) + low
    mirrored = torch.rand(n, generator=generator) < 0.5
    image[mirrored] = image[mirrored].flip(-1)
    used = (boxes[..., 2:3] > boxes[..., 0:1]) & mirrored[:, None, None]
    boxes = torch.where(used, torch.stack([width - boxes[..., 2], boxes[..., 1], width - boxes[..., 0], boxes[..., 3]], -1), boxes)
    other = teacher[:, MIRROR]
    other = torch.stack([width - other[..., 2], other[..., 1], width - other[..., 0], other[..., 3], other[..., 4]], -1)
    teacher = torch.where(mirrored[:, None, None], other, teacher)

    tint = 1 + 0.06 * torch.randn(n, 3, 1, 1, generator=generator)
    image = (image * draw(0.65, 1.35) * tint + draw(-0.08, 0.08)).clamp_(0, 1)
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * torch.where(draw(0, 1) < 0.12, torch.zeros(n, 1, 1, 1), draw(0.5, 1.5))
    for i in torch.nonzero(torch.rand(n, generator=generator) < 0.1).flatten():
        image[i] = torch.nn.functional.avg_pool2d(image[i : i + 1], 3, 1, 1)[0]
    for i in torch.nonzero(torch.rand(n, generator=generator) < 0.15).flatten():
        image[i] += 0.03 * torch.randn(image[i].shape, generator=generator)
    return image.clamp_(0, 1), boxes, labelled, teacher, taught


def giou_loss(a, b):
    """1 - generalised IoU of paired corners [n, 4]."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).clamp(min=0).prod(-1)
    union = (area(a) + area(b) - both).clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1).clamp(min=1e-6)
    return 1 - both / union + (hull - union) / hull


def loss_of(model, raw, batch, distil):
    """Per box: presence, fit (its target is the IoU) and box on labelled pictures, plus the teacher's presence and box."""
    _, boxes, labelled, teacher, taught = batch
    boxes = boxes[:, : max(1, int((boxes[..., 2] > boxes[..., 0]).sum(1).max()))]
    corners, presence, fit = model.corners(raw), raw[..., 4], raw[..., 5]
    owner, iou = assign(boxes, corners.detach(), (presence.sigmoid() * fit.sigmoid()).detach(), model.cells)
    positive = (owner >= 0) & labelled[:, None]
    # Where people photos lack a label that the teacher sees, the cell is left to the teacher.
    unsure = (teacher[..., 4] > 0.4) & ~positive
    known = labelled[:, None] & ~unsure
    count = positive.sum().clamp(min=1)
    total = (cross_entropy(presence, positive.float(), reduction="none") * known).sum() / count
    if positive.any():
        target = boxes.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))[positive]
        total = total + 5 * giou_loss(corners[positive], target).sum() / count
        total = total + cross_entropy(fit[positive], iou[positive], reduction="sum") / count
    if distil and taught.any():
        word = teacher[..., 4]
        weight = word * (word > 0.1)
        mass = weight.sum().clamp(min=1)
        soft = cross_entropy(presence, word, reduction="none") * taught[:, None]
        total = total + distil * soft.sum() / mass
        sure = weight > 0.25
        if sure.any():
            pull = giou_loss(corners[sure], teacher[..., :4][sure])
            total = total + distil * 3 * (pull * weight[sure]).sum() / mass
    return total


@torch.no_grad()
def validate(model, pool, most=200):
    model.eval()
    predictions = []
    for start in range(0, min(pool.count, most), 16):
        indices = np.arange(start, min(start + 16, pool.count, most))
        raw = model(pool.draw(indices, len(model.cells))[0].contiguous(memory_format=torch.channels_last))
        score = raw[..., 4].sigmoid() * raw[..., 5].sigmoid()
        predictions += [detect(c.numpy(), s.numpy()) for c, s in zip(model.corners(raw), score)]
    truths = [b[b[:, 2] > b[:, 0]] for b in pool.boxes[:most]]
    return average_precision(predictions, truths)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--design", default="hybrid")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--pictures", type=int, default=60_000, help="pictures seen in all")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--scenes", type=float, default=0.35, help="share of rendered scenes")
    parser.add_argument("--distil", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng, generator = np.random.default_rng(args.seed), torch.Generator().manual_seed(args.seed)

    real, photos = Pool(args.pool / "real"), Pool(args.pool / "validation")
    rendered = Pool(args.pool / "scenes") if args.scenes else None
    held_back = Pool(args.pool / "scenes-validation") if args.scenes else None
    model = PersonNano(args.design)
    print(f"{args.design}: {sum(p.numel() for p in model.parameters())} parameters, {macs(model) / 1e6:.1f} MMACs", flush=True)
    if args.start:
        model.load_state_dict(torch.load(args.start, weights_only=True)["model"])
    model = model.to(memory_format=torch.channels_last)
    mean = copy.deepcopy(model).eval()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0}], args.rate)

    args.out.mkdir(parents=True, exist_ok=True)
    steps, best, began, losses = args.pictures // args.batch, -1.0, time.time(), []
    for step in range(steps):
        warm = min(1, (step + 1) / min(200, steps // 10))
        rate = args.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        drawn = round(args.batch * args.scenes)
        parts = [real.draw(np.sort(rng.choice(real.count, args.batch - drawn, False)), len(model.cells))]
        if drawn:
            parts.append(rendered.draw(np.sort(rng.choice(rendered.count, drawn, False)), len(model.cells)))
        batch = augment([torch.cat(x) for x in zip(*parts)], generator)
        model.train()
        raw = model(batch[0].contiguous(memory_format=torch.channels_last))
        loss = loss_of(model, raw, batch, args.distil)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimiser.step()
        losses.append(loss.item())
        decay = min(0.998, (1 + step) / (10 + step))
        with torch.no_grad():
            for kept, new in zip(mean.state_dict().values(), model.state_dict().values()):
                kept.lerp_(new, 1 - decay) if kept.is_floating_point() else kept.copy_(new)
        if (step + 1) % max(1, steps // 12) == 0 or step + 1 == steps:
            found = validate(mean, photos)
            scene = validate(mean, held_back, 150) if held_back else float("nan")
            state = {"model": mean.state_dict(), "design": args.design, "photos": found, "scenes": scene}
            torch.save(state, args.out / "last.pt")
            value = found + (0.5 * scene if held_back else 0)
            if value > best:
                best = value
                torch.save(state, args.out / "best.pt")
            print(
                f"{step + 1}/{steps} {time.time() - began:.0f} s loss {np.mean(losses[-100:]):.3f} "
                f"photos AP50 {found:.3f} scenes AP50 {scene:.3f}",
                flush=True,
            )
        elif (step + 1) % 50 == 0:
            print(f"{step + 1}/{steps} {time.time() - began:.0f} s loss {np.mean(losses[-50:]):.3f}", flush=True)


if __name__ == "__main__":
    main()
