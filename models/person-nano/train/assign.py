"""Which cells answer for which box: SimOTA (Ge et al., YOLOX, 2021, section 2.2), for a whole batch at once, among the five
by five cells of each stride around a box's centre."""

import torch
from geometry import STRIDES, grid

MOST_CELLS = 10


def within(point, boxes):
    """Whether points [cells, 2] lie in boxes [..., m, 4]: [..., m, cells]."""
    x, y = point.T
    return (x > boxes[..., 0:1]) & (x < boxes[..., 2:3]) & (y > boxes[..., 1:2]) & (y < boxes[..., 3:4])


def around(centre):
    """centre [b, m, 2] in pixels to the indices of the cells around it, and whether there is such a cell: [b, m, candidates]."""
    offset, start, indices, there = torch.arange(-2, 3), 0, [], []
    for s in STRIDES:
        rows, columns = grid(s)
        column, row = ((centre[..., i, None] / s).floor().long() + offset for i in (0, 1))
        inside = ((row >= 0) & (row < rows))[..., :, None] & ((column >= 0) & (column < columns))[..., None, :]
        index = start + row[..., :, None] * columns + column[..., None, :]
        indices.append(index.where(inside, 0).flatten(-2))
        there.append(inside.flatten(-2))
        start += rows * columns
    return torch.cat(indices, -1), torch.cat(there, -1)


def paired_iou(a, b):
    """[..., 4] and [..., 4] to [...]."""
    both = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    area = lambda x: (x[..., 2:] - x[..., :2]).clamp(min=0).prod(-1)
    return both / (area(a) + area(b) - both).clamp(min=1e-6)


@torch.no_grad()
def assign(boxes, corners, score, cells):
    """
    boxes [b, m, 4] (unused rows 0), corners [b, cells, 4] and score [b, cells] as predicted now.
    Returns for each cell the index of its box, or -1, and their IoU: [b, cells] each.
    """
    b, m, _ = boxes.shape
    real = boxes[..., 2] > boxes[..., 0]
    index, there = around((boxes[..., :2] + boxes[..., 2:]) / 2)
    allowed = there & real[..., None]
    point = (cells[:, :2] + 0.5)[index] * cells[index, 2:]
    box = boxes[..., None, :]
    inside = ((point > box[..., :2]) & (point < box[..., 2:])).all(-1)
    flat = index.flatten(1)
    iou = paired_iou(corners.gather(1, flat[..., None].expand(-1, -1, 4)).view(*index.shape, 4), box) * allowed
    cost = -torch.log(score.gather(1, flat).view_as(iou).clamp(min=1e-6)) - 3 * torch.log(iou.clamp(min=1e-6))
    cost = cost + 1e4 * ~inside + 1e8 * ~allowed
    wanted = iou.topk(MOST_CELLS, -1).values.sum(-1).long().clamp(1, MOST_CELLS)
    best, which = cost.topk(MOST_CELLS, -1, largest=False)
    taken = (torch.arange(MOST_CELLS) < wanted[..., None]) & (best < 1e7)
    # A cell that several boxes want goes to the one that it costs least; the column behind the last takes what nobody wants.
    chosen = index.gather(-1, which).where(taken, corners.shape[1]).flatten(1)
    best = best.flatten(1)
    lowest = torch.full((b, corners.shape[1] + 1), 1e9).scatter_reduce(1, chosen, best, "amin")
    chosen = chosen.where(best == lowest.gather(1, chosen), corners.shape[1])
    box_of = torch.arange(m)[:, None].expand(m, MOST_CELLS).flatten().expand(b, -1)
    owner = torch.full((b, corners.shape[1] + 1), -1).scatter(1, chosen, box_of)[:, :-1]
    owned = boxes.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))
    return owner, paired_iou(owned, corners)
