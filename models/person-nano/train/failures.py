"""Shows where the detector fails on rendered scenes: the worst of a folder, misses red, false alarms orange, hits
green; and how many it finds by height. For the model card; photos of people are never drawn.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import sources
from geometry import CELLS, decode, iou
from pool import letterbox
from score import detect, inside

THRESHOLD = 0.3
SHOWN = 6
BANDS = ((0, 12), (12, 24), (24, 48), (48, 96), (96, 320))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    session = ort.InferenceSession(str(args.model), providers=["CPUExecutionProvider"])
    judged, bands = [], {band: [0, 0] for band in BANDS}
    for picture in sources.Scenes(args.scenes):
        image, every = letterbox(picture.image, picture.boxes)
        truth, hardly = every[every[:, 4] == 0, :4], every[every[:, 4] > 0, :4]
        feed = image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        raw = session.run(None, {"images": feed})[0][0]
        boxes, scores = detect(decode(raw[:, :4], CELLS), raw[:, 4] * raw[:, 5], THRESHOLD)
        overlaps = iou(boxes, truth) > 0.5
        found, right = overlaps.any(0), overlaps.any(1) | np.array([inside(box, hardly) > 0.5 for box in boxes], bool)
        for box, hit in zip(truth, found):
            band = next(b for b in BANDS if box[3] - box[1] < b[1] or b is BANDS[-1])
            bands[band][0] += int(hit)
            bands[band][1] += 1
        judged.append((int((~found).sum() + (~right).sum()), picture.name, image, truth[~found], boxes[~right], boxes[right]))
    for (low, high), (hits, total) in bands.items():
        print(f"{low}-{high} px: found {hits} of {total} ({100 * hits / max(1, total):.0f} %)")
    worst = sorted(judged, key=lambda j: (-j[0], j[1]))[:SHOWN]
    tiles = [draw(image, missed, false, hit) for _, _, image, missed, false, hit in worst]
    rows = [np.hstack(tiles[i : i + 3]) for i in range(0, SHOWN, 3)]
    cv2.imwrite(str(args.out), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])
    print("shown:", ", ".join(name for _, name, *_ in worst))


def draw(image, missed, false, hit):
    tile = image.copy()
    for boxes, colour in [(hit, (80, 200, 80)), (false, (0, 150, 255)), (missed, (60, 60, 255))]:
        for x1, y1, x2, y2 in boxes.round().astype(int):
            cv2.rectangle(tile, (int(x1), int(y1)), (int(x2), int(y2)), colour, 1)
    return tile


if __name__ == "__main__":
    main()
