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
    """image: [H, W, 3] BGR uint8. boxes: [n, 5], corners in its pixels and 1 for who is hardly seen (neither to be found nor
    a false alarm), or None where nobody labelled it."""

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


class Scenes:
    """Rendered scenes, read when they are wanted: images/*.jpg with labels/*.txt, whose class 1 is hardly seen."""

    def __init__(self, folder):
        self.folder, self.images = folder, jpegs(folder / "images")

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        path = self.images[index]
        return read_yolo(path, self.folder / "labels" / f"{path.stem}.txt")


def jpegs(folder):
    return sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})


def read_yolo(path, labels):
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    rows = np.array([line.split() for line in labels.read_text().splitlines() if line.strip()], np.float32).reshape(-1, 5)
    centre = rows[:, 1:] * [width, height, width, height]
    boxes = np.concatenate([centre[:, :2] - centre[:, 2:] / 2, centre[:, :2] + centre[:, 2:] / 2, rows[:, :1]], 1)
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
