"""Which cells answer for which box: SimOTA (Ge et al., YOLOX, 2021, section 2.2), for a whole batch at once."""

import torch

RADIUS = 2.5
"""Cells from a box's centre within which a cell may answer for it."""
MOST_CELLS = 10


def pairwise_iou(a, b):
    """[..., n, 4] and [..., m, 4] to [..., n, m]."""
    low = torch.maximum(a[..., :, None, :2], b[..., None, :, :2])
    high = torch.minimum(a[..., :, None, 2:], b[..., None, :, 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area = lambda x: (x[..., 2:] - x[..., :2]).clamp(min=0).prod(-1)
    return both / (area(a)[..., :, None] + area(b)[..., None, :] - both).clamp(min=1e-6)


def within(point, boxes):
    """Whether points [cells, 2] lie in boxes [..., m, 4]: [..., m, cells]."""
    x, y = point.T
    return (x > boxes[..., 0:1]) & (x < boxes[..., 2:3]) & (y > boxes[..., 1:2]) & (y < boxes[..., 3:4])


@torch.no_grad()
def assign(boxes, corners, score, cells):
    """
    boxes [b, m, 4] (unused rows 0), corners [b, cells, 4] and score [b, cells] as predicted now.
    Returns for each cell the index of its box, or -1, and their IoU: [b, cells] each.
    """
    real = boxes[..., 2] > boxes[..., 0]
    point = (cells[:, :2] + 0.5) * cells[:, 2:3]
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    far = (point.T - centre[..., None]).abs()  # [..., m, 2, cells]
    near = torch.maximum(far[..., 0, :], far[..., 1, :]) < RADIUS * cells[:, 2]
    inside = within(point, boxes)
    allowed = (near | inside) & real[..., None]
    iou = pairwise_iou(boxes, corners)
    cost = -torch.log(score.clamp(min=1e-6))[:, None] - 3 * torch.log(iou.clamp(min=1e-6))
    cost = cost + 1e4 * ~(near & inside) + 1e8 * ~allowed
    wanted = iou.mul(allowed).topk(MOST_CELLS, -1).values.sum(-1).long().clamp(1, MOST_CELLS)
    best, index = cost.topk(MOST_CELLS, -1, largest=False)
    taken = (torch.arange(MOST_CELLS) < wanted[..., None]) & (best < 1e7)
    chosen = torch.full_like(cost, 1e9).scatter_(-1, index, torch.where(taken, best, torch.full_like(best, 1e9)))
    lowest, owner = chosen.min(1)
    owner = torch.where(lowest < 1e7, owner, torch.full_like(owner, -1))
    return owner, iou.gather(1, owner.clamp(min=0)[:, None])[:, 0]
