"""Inputs as the bench writes them: index.json lists one {input name: .npy file} an item."""
import json
import os

import numpy as np


def load(folder, limit=None):
    with open(os.path.join(folder, "index.json")) as file:
        items = json.load(file)[:limit]
    return [{name: np.load(os.path.join(folder, path)) for name, path in item.items()} for item in items]


class Reader:
    """onnxruntime's CalibrationDataReader, which most tools take over."""

    def __init__(self, items):
        self.items = items
        self.rewind()

    def rewind(self):
        self.left = iter(self.items)

    def get_next(self):
        return next(self.left, None)

    def __len__(self):
        return len(self.items)
