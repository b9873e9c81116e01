"""onnxslim: MODEL OUT."""
import sys

import onnx
import onnxslim

onnx.save(onnxslim.slim(sys.argv[1]), sys.argv[2])
