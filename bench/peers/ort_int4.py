"""onnxruntime's 4-bit weights in blocks of 32, embeddings too: MODEL OUT rtn|hqq."""
import sys

import onnx
from onnxruntime.quantization import matmul_nbits_quantizer as nbits
from onnxruntime.quantization.quant_utils import QuantFormat

model, out, method = sys.argv[1:4]
if method == "hqq":
    config = nbits.HQQWeightOnlyQuantConfig(block_size=32, bits=4)
else:
    config = nbits.DefaultWeightOnlyQuantConfig(
        block_size=32, is_symmetric=False, quant_format=QuantFormat.QOperator, op_types_to_quantize=("MatMul", "Gather")
    )
quantizer = nbits.MatMulNBitsQuantizer(onnx.load(model), algo_config=config)
quantizer.process()
quantizer.model.save_model_to_file(out, False)
