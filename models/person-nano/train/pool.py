"""Makes the pools of crops that training draws from: augmented once, seen by the teacher once, kept as arrays.

`python pool.py real` makes crops and mosaics of photos with the teacher's word on each; `python pool.py scenes` makes
crops of rendered scenes, some with real people pasted in; `python pool.py validation` letterboxes the held-back photos
of COCO and held-back scenes.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import sources
from geometry import HEIGHT, PAD, TAUGHT_CELLS, WIDTH
from teacher import Teacher

MOST_BOXES = 48
CALM = (0.85, 1.25)
"""Zooms of the last pictures of training, which have no mosaics: much as the product will show them."""
SMALLEST = 5.0
"""Pixels of a box's longer side below which it counts as hardly seen."""


def letterbox(image, boxes):
    """Centred, as the product's preprocess does it."""
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    offset = ((WIDTH - image.shape[1] * scale) / 2, (HEIGHT - image.shape[0] * scale) / 2)
    return place(blank(), image, boxes, (scale, scale, *map(round, offset)), cv2.INTER_LINEAR)


def blank():
    return np.full((HEIGHT, WIDTH, 3), PAD, np.uint8)


def place(canvas, image, boxes, at, interpolation, window=None):
    """Draws image on canvas at (scale x, scale y, left, top), inside window; its boxes, clipped to what can be seen. Who is
    cut to a quarter or is tiny counts as hardly seen."""
    sx, sy, left, top = at
    x1, y1, x2, y2 = window or (0, 0, WIDTH, HEIGHT)
    if max(sx, sy) < 1 and interpolation == cv2.INTER_AREA:
        size = (max(1, round(image.shape[1] * sx)), max(1, round(image.shape[0] * sy)))
        image, drawn = cv2.resize(image, size, interpolation=interpolation), (1.0, 1.0)
    else:
        drawn = (sx, sy)
    matrix = np.array([[drawn[0], 0, left + (drawn[0] - 1) / 2], [0, drawn[1], top + (drawn[1] - 1) / 2]], np.float32)
    layer = cv2.warpAffine(
        image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(PAD,) * 3
    )
    canvas[y1:y2, x1:x2] = layer[y1:y2, x1:x2]
    if boxes is None or not len(boxes):
        return canvas, np.zeros((0, 5), np.float32)
    moved = boxes[:, :4] * [sx, sy, sx, sy] + [left, top, left, top]
    clipped = np.stack([moved[:, 0].clip(x1, x2), moved[:, 1].clip(y1, y2), moved[:, 2].clip(x1, x2), moved[:, 3].clip(y1, y2)], 1)
    sides = clipped[:, 2:] - clipped[:, :2]
    cut = sides.prod(1) < 0.25 * (moved[:, 2:] - moved[:, :2]).prod(1)
    hardly = (boxes[:, 4] > 0) | cut | (sides.max(1) < SMALLEST)
    there = sides.min(1) >= 1
    return canvas, np.concatenate([clipped, hardly[:, None]], 1)[there].astype(np.float32)


def single(rng, picture, zooms):
    """One picture, zoomed and shifted; some stay near the size at which the product shows them."""
    height, width = picture.image.shape[:2]
    fit = min(WIDTH / width, HEIGHT / height)
    zoom = np.exp(rng.uniform(*np.log(zooms))) if rng.random() < 0.6 else rng.uniform(0.95, 1.05)
    stretch = np.exp(rng.normal(0, 0.08))
    sx, sy = fit * zoom * stretch, fit * zoom / stretch
    left = rng.uniform(*sorted((0, WIDTH - width * sx)))
    top = rng.uniform(*sorted((0, HEIGHT - height * sy)))
    return place(blank(), picture.image, picture.boxes, (sx, sy, left, top), interpolation(rng))


def mosaic(rng, pictures):
    """Four pictures around a point, each filling its quarter."""
    cx, cy = round(rng.uniform(0.3, 0.7) * WIDTH), round(rng.uniform(0.3, 0.7) * HEIGHT)
    canvas, boxes = blank(), []
    for window, picture in zip([(0, 0, cx, cy), (cx, 0, WIDTH, cy), (0, cy, cx, HEIGHT), (cx, cy, WIDTH, HEIGHT)], pictures):
        height, width = picture.image.shape[:2]
        w, h = window[2] - window[0], window[3] - window[1]
        scale = max(w / width, h / height) * np.exp(rng.uniform(0, np.log(1.8)))
        left = window[0] + rng.uniform(*sorted((0, w - width * scale)))
        top = window[1] + rng.uniform(*sorted((0, h - height * scale)))
        canvas, found = place(canvas, picture.image, picture.boxes, (scale, scale, left, top), interpolation(rng), window)
        boxes.append(found)
    return canvas, np.concatenate(boxes)


def interpolation(rng):
    return cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_LINEAR


def paste(rng, picture, donors):
    """Real people, cut out as soft-edged ellipses, where they hide none of the scene's own."""
    image, boxes = picture.image.copy(), list(picture.boxes)
    for _ in range(rng.integers(1, 4)):
        donor = donors[rng.integers(len(donors))]
        x1, y1, x2, y2 = donor.boxes[rng.integers(len(donor.boxes)), :4].round().astype(int).clip(0)
        person = donor.image[y1:y2, x1:x2]
        if min(person.shape[:2]) < 16 or person.shape[0] < 40:
            continue
        height = int(min(np.exp(rng.uniform(np.log(24), np.log(200))), image.shape[0] * 0.9))
        width = max(6, round(person.shape[1] * height / person.shape[0]))
        if width >= image.shape[1]:
            continue
        left, top = rng.integers(image.shape[1] - width), rng.integers(image.shape[0] - height)
        box = np.array([left, top, left + width, top + height, 0], np.float32)
        if any(overlap(box, other) for other in boxes):
            continue
        person = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA)
        mask = np.zeros((height, width), np.float32)
        cv2.ellipse(mask, (width // 2, height // 2), (round(width * 0.5), round(height * 0.52)), 0, 0, 360, 1, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), max(1, width / 14))[..., None]
        part = image[top : top + height, left : left + width]
        part[:] = (person * mask + part * (1 - mask)).astype(np.uint8)
        boxes.append(box)
    return sources.Picture(picture.name, image, np.array(boxes, np.float32).reshape(-1, 5))


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


class Writer:
    """Arrays on disk: images [n, 3, H, W] RGB, boxes [n, MOST_BOXES, 5] (unused rows are 0), whether labelled, and the
    teacher's cells."""

    def __init__(self, folder, count, taught):
        folder.mkdir(parents=True, exist_ok=True)
        array = lambda name, shape, kind: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (count, *shape))
        self.images = array("images", (3, HEIGHT, WIDTH), np.uint8)
        self.boxes = array("boxes", (MOST_BOXES, 5), np.float32)
        self.labelled = array("labelled", (), bool)
        if taught:
            self.said = array("teacher", (len(TAUGHT_CELLS), 5), np.float16)

    def put(self, index, image, boxes, taught=None):
        self.images[index] = image[..., ::-1].transpose(2, 0, 1)
        self.labelled[index] = boxes is not None
        if boxes is not None:
            boxes = boxes[np.argsort(boxes[:, 4], kind="stable")][:MOST_BOXES]
            self.boxes[index, : len(boxes)] = boxes
        if taught is not None:
            self.said[index] = taught


def real(args, rng):
    labelled, _ = sources.people(args.data)
    donors = [p for p in labelled if len(p.boxes)]
    unlabelled = sources.unlabelled(args.data)
    teacher = Teacher(args.data / "models/yolox-nano.onnx")
    writer = Writer(args.out / "real", args.count, True)
    for index in range(args.count):
        has_labels = rng.random() < 0.8
        pictures = labelled if has_labels else unlabelled
        drawn = [pictures[i] for i in rng.integers(len(pictures), size=4)]
        if has_labels and rng.random() < 0.2:
            drawn[0] = paste(rng, drawn[0], donors)
        mixed = rng.random() < 0.4 and not args.calm
        image, boxes = mosaic(rng, drawn) if mixed else single(rng, drawn[0], CALM if args.calm else (0.7, 1.8))
        writer.put(index, image, boxes if has_labels else None, teacher(image))
        if index % 500 == 0:
            print(index, flush=True)


def rendered(args, rng):
    donors = [p for p in sources.people(args.data)[0] if len(p.boxes)]
    scenes = sources.Scenes(args.scenes)
    writer = Writer(args.out / "scenes", args.count, False)
    for index in range(args.count):
        picture = scenes[index % len(scenes)]
        if rng.random() < 0.15:
            picture = paste(rng, picture, donors)
        if rng.random() < 0.15 and not args.calm:
            image, boxes = mosaic(rng, [picture, *(scenes[i] for i in rng.integers(len(scenes), size=3))])
        else:
            image, boxes = single(rng, picture, CALM if args.calm else (0.7, 2.2))
        writer.put(index, image, boxes)


def validation(args, _):
    whole(args.out / "validation", [p for p in sources.people(args.data)[1] if p.name.startswith("coco")])
    whole(args.out / "scenes-validation", sources.Scenes(args.scenes))


def whole(folder, pictures):
    writer = Writer(folder, len(pictures), False)
    for index, picture in enumerate(pictures):
        writer.put(index, *letterbox(picture.image, picture.boxes))


if __name__ == "__main__":
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["real", "scenes", "validation"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scenes", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--calm", action="store_true", help="no mosaics and little zoom")
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    {"real": real, "scenes": rendered, "validation": validation}[arguments.what](arguments, np.random.default_rng(arguments.seed))
