"""onnxruntime's dynamic INT8 of matrix products, weights per channel: MODEL OUT."""
import sys

from onnxruntime.quantization import QuantType, quantize_dynamic

quantize_dynamic(sys.argv[1], sys.argv[2], per_channel=True, weight_type=QuantType.QInt8)
