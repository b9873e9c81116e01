"""A chain of transformer-like MatMuls with weights in external data: OUT.onnx GIGABYTES."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

out, gigabytes = sys.argv[1], float(sys.argv[2])
WIDTH, HIDDEN = 2048, 8192
bytes_each = WIDTH * HIDDEN * 4
layers = max(1, round(gigabytes * 1e9 / (2 * bytes_each)))
data = os.path.basename(out) + ".data"
random = np.random.default_rng(0)
block = random.standard_normal(WIDTH * HIDDEN, dtype=np.float32) * 0.02
weights, nodes, value = [], [], "x"
with open(os.path.join(os.path.dirname(out), data), "wb") as file:
    for layer in range(2 * layers):
        shape = [WIDTH, HIDDEN] if layer % 2 == 0 else [HIDDEN, WIDTH]
        tensor = TensorProto(name=f"w{layer}", data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, entry in (("location", data), ("offset", str(file.tell())), ("length", str(bytes_each))):
            tensor.external_data.add(key=key, value=entry)
        # Other numbers in each: the same block, turned.
        np.roll(block, layer * 7919).tofile(file)
        weights.append(tensor)
        nodes.append(helper.make_node("MatMul", [value, f"w{layer}"], [f"m{layer}"], name=f"layer{layer}"))
        value = f"r{layer}"
        nodes.append(helper.make_node("Relu", [f"m{layer}"], [value]))
graph = helper.make_graph(
    nodes,
    "large",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", WIDTH])],
    [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["batch", WIDTH])],
    initializer=weights,
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), out)
