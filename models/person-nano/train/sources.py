"""What the detector learns from, read from folders: pictures with exact, human or no labels.

The validation split of `people` is fixed by a hash of the picture's name, so that nobody can tune it. A picture of
coco/calibration that shows what a validation picture shows is left out of training.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

VALIDATION_PERCENT = 15


@dataclass
class Picture:
    """image: [H, W, 3] BGR uint8. boxes: [n, 4] corners in its pixels, or None where nobody labelled it."""

    name: str
    image: np.ndarray
    boxes: np.ndarray | None


def is_validation(name):
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 100 < VALIDATION_PERCENT


def people(data):
    """(training, validation) of the labelled photos."""
    pictures = [read_yolo(p, data / "people/labels" / f"{p.stem}.txt") for p in jpegs(data / "people/images")]
    return [p for p in pictures if not is_validation(p.name)], [p for p in pictures if is_validation(p.name)]


def unlabelled(data):
    """Pictures for the teacher alone: COCO's calibration images, the faces' photos and every nth frame of the videos."""
    photos = [p for p in jpegs(data / "coco/calibration") if not is_validation(f"coco_{p.stem}")]
    photos += jpegs(data / "faces")
    pictures = [Picture(p.stem, fit(cv2.imread(str(p)), 640), None) for p in photos]
    for path in sorted((data / "video").glob("*.mp4")):
        pictures += frames(path)
    return pictures


def scenes(folder):
    """Rendered scenes: images/*.jpg with labels/*.txt."""
    return [read_yolo(p, folder / "labels" / f"{p.stem}.txt") for p in jpegs(folder / "images")]


def jpegs(folder):
    return sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})


def read_yolo(path, labels):
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    rows = [list(map(float, line.split()))[1:5] for line in labels.read_text().splitlines() if line.strip()]
    centre = np.array(rows, np.float32).reshape(-1, 4) * [width, height, width, height]
    boxes = np.concatenate([centre[:, :2] - centre[:, 2:] / 2, centre[:, :2] + centre[:, 2:] / 2], 1)
    return Picture(path.stem, image, boxes.astype(np.float32))


def frames(path):
    video, found = cv2.VideoCapture(str(path)), []
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    every = max(3, count // 120)
    for index in range(count):
        ok, image = video.read()
        if not ok:
            break
        if index % every == 0:
            found.append(Picture(f"{path.stem}-{index}", fit(image, 640), None))
    return found


def fit(image, side):
    scale = min(1, side / max(image.shape[:2]))
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
