"""Writes trained weights as ONNX: BatchNorm folded into its convolution, ReLU between, sigmoid on the scores alone.

Weights are stored as float32 in one file; the graph is checked against torch on random and real input.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from balance import balance
from geometry import HEIGHT, WIDTH, ZOOM
from model import PersonNano, fold

OPSET = 17


def shorten(model):
    """Names without what they say twice: /trunk/stages.1/stages.1.2/mix becomes /trunk/stages.1.2/mix. Saves 15 KB."""

    def short(name):
        parts = name.removesuffix("_output_0").split("/")
        return "/".join(a for a, b in zip(parts, [*parts[1:], ""]) if not (a and b.startswith(f"{a}.")))

    for node in model.graph.node:
        node.name = short(node.name)
        for names in (node.input, node.output):
            names[:] = [short(name) for name in names]
    del model.graph.value_info[:]
    return model


def settle(model):
    """The size to which the input is enlarged as a constant; torch works it out from the input's shape at every run."""
    graph = model.graph
    size = onnx.numpy_helper.from_array(np.array([1, 3, round(HEIGHT * ZOOM), round(WIDTH * ZOOM)]), "enlarged")
    graph.initializer.append(size)
    next(node for node in graph.node if "images" in node.input and node.op_type == "Resize").input[3] = size.name
    while True:
        read = {name for node in graph.node for name in node.input} | {out.name for out in graph.output}
        dead = [node for node in graph.node if not read.intersection(node.output)]
        if not dead:
            return model
        for node in dead:
            graph.node.remove(node)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pool", type=Path, required=True, help="of training crops, to measure channels' ranges on")
    args = parser.parse_args()
    state = torch.load(args.weights, weights_only=True)
    model = PersonNano()
    model.load_state_dict(state["model"])
    crops = [np.load(args.pool / name / "images.npy", mmap_mode="r")[::200][:30] for name in ("real", "scenes")]
    model = balance(fold(model.eval()), torch.from_numpy(np.concatenate(crops)).float() / 255)
    model.exporting = True
    example = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    torch.onnx.export(
        model, example, str(args.out), input_names=["images"], output_names=["cells"], opset_version=OPSET, dynamo=False
    )
    graph = settle(shorten(onnx.load(args.out)))
    graph.producer_name, graph.producer_version = "person-nano", "3"
    graph.graph.name = "person-nano"
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, args.out)

    with torch.no_grad():
        expected = model(example).numpy()
    found = ort.InferenceSession(str(args.out), providers=["CPUExecutionProvider"]).run(None, {"images": example.numpy()})[0]
    content = args.out.read_bytes()
    print(f"largest difference from torch {np.abs(found - expected).max():.2e}; shape {found.shape}")
    print(f"photos AP50 {state['photos']:.3f}, scenes AP50 {state['scenes']:.3f} (validation, FP32 torch)")
    print(f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
