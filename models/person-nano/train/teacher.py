"""YOLOX-Nano as the teacher: what it says of a crop, cell by cell.

The crop lies unscaled at the top left of the teacher's canvas, so its cells of stride 8, 16 and 32 are ours too and no
assignment stands between the two networks. The teacher's score is objectness times its `person` class.
"""

import numpy as np
import onnxruntime as ort
from geometry import CELLS, HEIGHT, PAD, WIDTH, cells, decode

SIDE = 416


class Teacher:
    def __init__(self, path, threads=2):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        grid = cells(SIDE, SIDE)
        index = {tuple(cell): i for i, cell in enumerate(grid)}
        self.ours = np.array([index[tuple(cell)] for cell in CELLS])

    def __call__(self, image):
        """[HEIGHT, WIDTH, 3] BGR to [cells, 5]: corners and score."""
        canvas = np.full((SIDE, SIDE, 3), PAD, np.uint8)
        canvas[:HEIGHT, :WIDTH] = image
        feed = canvas.transpose(2, 0, 1)[None].astype(np.float32)
        raw = self.session.run(None, {self.session.get_inputs()[0].name: feed})[0][0][self.ours]
        return np.concatenate([decode(raw[:, :4]), raw[:, 4:5] * raw[:, 5:6]], 1).astype(np.float16)
