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
    parser.add_argument("--batch", type=int, default=16, help="of all workers together")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--scenes", type=float, default=0.35, help="share of rendered scenes")
    parser.add_argument("--distil", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread that share a step")
    parser.add_argument("--port", type=int, default=29511, help="on this machine, by which they meet")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.multiprocessing.spawn(work, (args,), nprocs=args.workers)


def work(rank, args):
    """One worker; all hold the same weights, and the first keeps their mean and judges it."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=args.workers)
    torch.manual_seed(args.seed)
    rng, generator = np.random.default_rng(args.seed + rank), torch.Generator().manual_seed(args.seed + rank)
    pools = {name: Pool(args.pool / name) for name in ["real", "scenes"][: 2 if args.scenes else 1]}
    model = PersonNano(args.design)
    if args.start:
        model.load_state_dict(torch.load(args.start, weights_only=True)["model"])
    if rank == 0:
        print(f"{args.design}: {sum(p.numel() for p in model.parameters())} parameters, {macs(model) / 1e6:.1f} MMACs", flush=True)
    model = model.train().to(memory_format=torch.channels_last)
    judge = Judge(model, args) if rank == 0 else None
    shared = torch.nn.parallel.DistributedDataParallel(model)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0}], args.rate)

    mine, steps = args.batch // args.workers, args.pictures // args.batch
    rendered = round(mine * args.scenes)
    wanted = {"real": mine - rendered, "scenes": rendered}
    for step in range(steps):
        warm = min(1, (step + 1) / min(200, steps // 10))
        for group in optimiser.param_groups:
            group["lr"] = args.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        parts = [pool.draw(np.sort(rng.choice(pool.count, wanted[name], False)), len(model.cells)) for name, pool in pools.items()]
        batch = augment([torch.cat(x) for x in zip(*parts)], generator)
        raw = shared(batch[0].contiguous(memory_format=torch.channels_last))
        loss = loss_of(model, raw, batch, args.distil)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimiser.step()
        if judge:
            judge.follow(model, step, steps, loss.item())
    torch.distributed.destroy_process_group()


class Judge:
    """Keeps the moving average of the weights, and of its states the best on the validation split."""

    def __init__(self, model, args):
        self.mean, self.args = copy.deepcopy(model).eval(), args
        self.photos = Pool(args.pool / "validation")
        self.scenes = Pool(args.pool / "scenes-validation") if args.scenes else None
        self.best, self.began, self.losses = -1.0, time.time(), []

    @torch.no_grad()
    def follow(self, model, step, steps, loss):
        decay = min(0.998, (1 + step) / (10 + step))
        for kept, new in zip(self.mean.state_dict().values(), model.state_dict().values()):
            kept.lerp_(new, 1 - decay) if kept.is_floating_point() else kept.copy_(new)
        self.losses.append(loss)
        if (step + 1) % max(1, steps // 12) == 0 or step + 1 == steps:
            self.decide()
        if (step + 1) % 50 == 0:
            print(f"{step + 1}/{steps} {time.time() - self.began:.0f} s loss {np.mean(self.losses[-50:]):.3f}", flush=True)

    def decide(self):
        photos = validate(self.mean, self.photos)
        scenes = validate(self.mean, self.scenes) if self.scenes else float("nan")
        state = {"model": self.mean.state_dict(), "design": self.args.design, "photos": photos, "scenes": scenes}
        torch.save(state, self.args.out / "last.pt")
        value = photos + (0.5 * scenes if self.scenes else 0)
        if value > self.best:
            self.best = value
            torch.save(state, self.args.out / "best.pt")
        print(f"step {len(self.losses)}: photos AP50 {photos:.3f}, scenes AP50 {scenes:.3f}", flush=True)


if __name__ == "__main__":
    main()
