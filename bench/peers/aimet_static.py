"""AIMET's quantization simulation, exported as QDQ: u8 activations, s8 weights per channel."""
import sys

import aimet_onnx
import feeds
import onnx

model, folder, out, method, limit = sys.argv[1:6]
items = feeds.load(folder, int(limit))
simulated = aimet_onnx.QuantizationSimModel(
    feeds.model(model), quant_scheme=method, param_type=aimet_onnx.int8, activation_type=aimet_onnx.int8,
    providers=["CPUExecutionProvider"],
)
simulated.compute_encodings(items)
onnx.save(simulated.to_onnx_qdq(export_int32_bias=True, prequantize_constants=True), out)
