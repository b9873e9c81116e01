"""NVIDIA ModelOpt's INT8 for ONNX: signed, symmetric, for TensorRT."""
import sys

import feeds
import numpy as np
from modelopt.onnx.quantization import quantize

model, folder, out, method, limit = sys.argv[1:6]
items = feeds.load(folder, int(limit))
quantize(
    model,
    quantize_mode="int8",
    calibration_data={name: np.concatenate([item[name] for item in items]) for name in items[0]},
    calibration_method=method,
    calibration_eps=["cpu"],
    output_path=out,
)
