"""NNCF's post-training quantization: its own defaults, mixed preset."""
import sys

# NNCF loads PyTorch where it finds it; who quantizes ONNX files has no need of it.
sys.modules["torch"] = None

import feeds
import nncf
import onnx

model, folder, out, _, limit = sys.argv[1:6]
items = feeds.load(folder, int(limit))
quantized = nncf.quantize(
    feeds.model(model), nncf.Dataset(items), preset=nncf.QuantizationPreset.MIXED, subset_size=len(items)
)
onnx.save(quantized, out)
