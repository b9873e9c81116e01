"""YOLOX-Nano as the teacher: what it says of a crop cell by cell, and its trunk's weights.

It looks at the crop itself (its graph is fully convolutional, so its fixed input is changed to ours): its cells are ours,
and no assignment stands between the two networks. The teacher's score is objectness times its `person` class.
"""

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from geometry import HEIGHT, TAUGHT_CELLS, WIDTH, ZOOM, decode
from onnx import numpy_helper
from torch import nn


class Teacher:
    def __init__(self, path, threads=1):
        model = onnx.load(path)
        del model.graph.value_info[:]
        for value in (model.graph.input[0], model.graph.output[0]):
            for axis in value.type.tensor_type.shape.dim[1 if value is model.graph.output[0] else 2 :]:
                axis.ClearField("dim_value")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def __call__(self, image):
        """[HEIGHT, WIDTH, 3] BGR to [cells, 5], corners and score; it sees the picture enlarged as our network does."""
        assert image.shape == (HEIGHT, WIDTH, 3)
        image = cv2.resize(image, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_LINEAR)
        feed = image.transpose(2, 0, 1)[None].astype(np.float32)
        raw = self.session.run(["output"], {"images": feed})[0][0]
        said = np.concatenate([decode(raw[:, :4], TAUGHT_CELLS), raw[:, 4:5] * raw[:, 5:6]], 1)
        return said.astype(np.float16)


def load_trunk(trunk, path):
    """Puts the teacher's weights into a Trunk. Its convolutions stand in the same order, after a Focus layer: its four
    shifted images and 3x3 convolution are one 6x6 convolution of stride 2. It reads BGR of 0..255, we RGB of 0..1."""
    graph = onnx.load(path).graph
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    theirs = [[weights[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    ours = [layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    shifted = theirs[0][0].reshape(16, 2, 2, 3, 3, 3)  # out, shift in x, shift in y, colour, row, column
    focus = torch.zeros(16, 3, 6, 6)
    for dx in range(2):
        for dy in range(2):
            focus[:, :, dy::2, dx::2] = shifted[:, dx, dy]
    theirs[0][0] = focus.flip(1) * 255
    for layer, (weight, bias) in zip(ours, theirs):
        layer.weight.data.copy_(weight)
        layer.bias.data.copy_(bias)
    return trunk
