"""onnxruntime's static quantization: u8 activations, s8 weights per channel, QDQ."""
import sys

import feeds
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

model, folder, out, method, limit = sys.argv[1:6]
items = feeds.load(folder, int(limit))
CalibrationDataReader.register(feeds.Reader)
prepared = out + ".prepared.onnx"
onnx.save(feeds.model(model), prepared)
quant_pre_process(prepared, prepared, skip_symbolic_shape=True)
quantize_static(
    prepared,
    out,
    feeds.Reader(items),
    quant_format=QuantFormat.QDQ,
    per_channel=True,
    activation_type=QuantType.QUInt8,
    weight_type=QuantType.QInt8,
    calibrate_method={
        "minmax": CalibrationMethod.MinMax,
        "percentile": CalibrationMethod.Percentile,
        "entropy": CalibrationMethod.Entropy,
    }[method],
)
