"""AMD Quark's u8/s8 configuration, plain or with AdaRound, weights per channel and min-max as served best here."""
import copy
import sys

import feeds
import onnx
from quark.onnx import CalibrationMethod, ModelQuantizer
from quark.onnx.quantization.config import Config, get_default_config

model, folder, out, method, limit = sys.argv[1:6]
prepared = out + ".prepared.onnx"
onnx.save(feeds.model(model), prepared)
config = copy.deepcopy(get_default_config("U8S8_AAWS_ADAROUND" if method == "adaround" else "U8S8_AAWS"))
config.per_channel = True
config.calibrate_method = CalibrationMethod.MinMax
ModelQuantizer(Config(global_quant_config=config)).quantize_model(
    prepared, out, feeds.Reader(feeds.load(folder, int(limit)))
)
