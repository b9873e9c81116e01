"""Average precision at IoU 0.5 for one class, all-point interpolation; to choose among checkpoints, not for the card."""

import numpy as np
from geometry import iou, suppress


def average_precision(predictions, truths, limit=0.5):
    """predictions: [(boxes [n, 4], scores [n])] and truths: [boxes [m, 5]], one a picture; a detection that lies in one who
    is hardly seen (last column 1) and on nobody else counts neither for nor against."""
    hits, scores = [], []
    for (boxes, confidence), every in zip(predictions, truths):
        truth, hardly = every[every[:, 4] == 0, :4], every[every[:, 4] > 0, :4]
        order, free = np.argsort(-confidence), np.ones(len(truth), bool)
        overlaps = iou(boxes, truth) if len(truth) else np.zeros((len(boxes), 0))
        for i in order:
            match = np.where(free, overlaps[i], 0)
            hit = match.size > 0 and match.max() >= limit
            if hit:
                free[match.argmax()] = False
            elif inside(boxes[i], hardly) >= limit:
                continue
            hits.append(hit)
            scores.append(confidence[i])
    total = sum(int((truth[:, 4] == 0).sum()) for truth in truths)
    if not hits or not total:
        return 0.0
    hit = np.array(hits)[np.argsort(-np.array(scores), kind="stable")]
    recall, precision = np.cumsum(hit) / total, np.cumsum(hit) / np.arange(1, len(hit) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision))


def inside(box, regions):
    """The largest part of the box that lies in one of the regions."""
    low, high = np.maximum(box[:2], regions[:, :2]), np.minimum(box[2:], regions[:, 2:])
    return max(np.clip(high - low, 0, None).prod(1) / max(np.prod(box[2:] - box[:2]), 1e-9), default=0)


def detect(corners, scores, threshold=0.02, overlap=0.6, most=300):
    """One picture's boxes after suppression."""
    kept = np.flatnonzero(scores > threshold)
    kept = kept[np.argsort(-scores[kept])][:most]
    chosen = suppress(corners[kept], scores[kept], overlap)
    return corners[kept][chosen], scores[kept][chosen]
