"""The network's input and its grid of cells: one place that training, teacher, export and scoring agree on.

Boxes are corners x1, y1, x2, y2 in pixels of the input. A cell of stride s at (column, row) sees the point
((column + 0.5) * s, (row + 0.5) * s) and writes its box as YOLOX does: centre = (x + column, y + row) * s,
size = exp(w, h) * s.
"""

import numpy as np

WIDTH, HEIGHT = 320, 320
ZOOM = 1.4
"""The network looks at its input enlarged by this: small people want finer cells more than they want more channels."""
STRIDES = tuple(s / ZOOM for s in (4, 8, 16, 32))
"""In pixels of the input."""
TAUGHT = STRIDES[1:]
"""Those at which the teacher has cells."""
PAD = 114


def grid(stride):
    """(rows, columns) of the cells."""
    return round(HEIGHT / stride), round(WIDTH / stride)


def cells(strides=STRIDES):
    """[cells, 3]: column, row and stride, by stride, rows first."""
    grids = []
    for s in strides:
        rows, columns = np.indices(grid(s))
        grids.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, s)], 1))
    return np.concatenate(grids).astype(np.float32)


CELLS = cells()
TAUGHT_CELLS = cells(TAUGHT)


def mirror_order():
    """For each of the teacher's cells, the index of its mirror image (left to right)."""
    order, start = [], 0
    for s in TAUGHT:
        rows, columns = grid(s)
        order.append(start + np.arange(rows * columns).reshape(rows, columns)[:, ::-1].ravel())
        start += rows * columns
    return np.concatenate(order)


def decode(raw, cells):
    """[..., cells, 4] as written by the network to corners."""
    centre = (raw[..., 0:2] + cells[:, 0:2]) * cells[:, 2:3]
    size = np.exp(raw[..., 2:4]) * cells[:, 2:3]
    return np.concatenate([centre - size / 2, centre + size / 2], -1)


def iou(a, b):
    """[n, 4] and [m, 4] to [n, m]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), -1)
    area = lambda x: np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), -1)
    return both / np.maximum(area(a)[:, None] + area(b)[None] - both, 1e-9)


def suppress(boxes, scores, limit):
    """Indices that greedy non-maximum suppression keeps, best first."""
    order, kept = np.argsort(-scores), []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[iou(boxes[best : best + 1], boxes[order])[0] <= limit]
    return np.array(kept, dtype=int)
