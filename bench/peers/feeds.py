"""Inputs and models as the bench gives them: index.json lists one {input name: .npy file} an item."""
import json
import os

import numpy as np
import onnx
import onnx.version_converter


def load(folder, limit=None):
    with open(os.path.join(folder, "index.json")) as file:
        items = json.load(file)[:limit]
    return [{name: np.load(os.path.join(folder, path)) for name, path in item.items()} for item in items]


def model(path):
    """In opset 13 at least, where per-channel scales begin, with initializers that are no inputs."""
    loaded = onnx.load(path)
    constants = {tensor.name for tensor in loaded.graph.initializer}
    for value in [value for value in loaded.graph.input if value.name in constants]:
        loaded.graph.input.remove(value)
    loaded.ir_version = max(loaded.ir_version, 8)
    if loaded.opset_import[0].version < 13:
        loaded = onnx.version_converter.convert_version(loaded, 13)
    return loaded


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
