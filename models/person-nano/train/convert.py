"""Turns the teacher's trunk from SiLU to ReLU: from the teacher's own weights, the activation is bent little by little while
the features of strides 4, 8 and 16 are held to the teacher's, on the pools' photos and scenes. No label is used.
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
from model import Trunk
from teacher import load_trunk

SHARPEST = 12.0
"""Of the bent activation before ReLU takes over, which by then is within 0.03 of it."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)
    photos, scenes = (np.load(args.pool / name / "images.npy", mmap_mode="r") for name in ("real", "scenes"))
    teacher = load_trunk(Trunk(), args.teacher).bend(1.0).eval().to(memory_format=torch.channels_last)
    trunk = copy.deepcopy(teacher).train()
    optimiser = torch.optim.Adam(trunk.parameters(), args.rate)
    steps, spread, began, losses = args.pictures // args.batch, None, time.time(), []
    rendered = args.batch // 4
    for step in range(steps):
        done = step / steps
        trunk.bend(SHARPEST ** (done / 0.5) if done < 0.5 else None)
        for group in optimiser.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        draw = lambda pool, n: pool[np.sort(rng.choice(len(pool), n, False))]
        image = torch.from_numpy(np.concatenate([draw(photos, args.batch - rendered), draw(scenes, rendered)])).float() / 255
        light = torch.from_numpy(rng.uniform(0.6, 1.3, (len(image), 1, 1, 1)).astype(np.float32))
        image = (image * light).clamp_(0, 1).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            wanted = [f.relu() for f in teacher(image)]
        spread = spread or [f.var() for f in wanted]
        parts = [(a - b).square().mean() / s for a, b, s in zip(trunk(image), wanted, spread)]
        optimiser.zero_grad()
        sum(parts).backward()
        torch.nn.utils.clip_grad_norm_(trunk.parameters(), 1)
        optimiser.step()
        losses.append([p.item() for p in parts])
        if (step + 1) % 50 == 0:
            print(f"{step + 1}/{steps} {time.time() - began:.0f} s unlike {np.mean(losses[-50:], 0).round(4)}", flush=True)
    torch.save(trunk.state_dict(), args.out)


if __name__ == "__main__":
    main()
