"""Builds TensorRT for RTX engines from an ONNX file, without a GPU. One JSON line in, one JSON line out.

In:  {"onnx": path, "outDir": path, "computeCapabilities": ["8.6"], "shapes": {name: {"min": [], "opt": [], "max": []}}}
Out: {"version": "1.7.1.116", "engines": [{"computeCapability": "8.6", "path": path, "seconds": 0.3, "layers": text}],
      "warnings": [text]}
  or {"version": ..., "error": {"stage": "request" | "parse" | "build", "messages": [text]}}

The builder's own words stay as they are. Its log's "Layers:" line is handed over whole: the engine inspector needs a
GPU, the log does not.
"""

import json
import os
import sys
import threading
import time
import traceback

import tensorrt_rtx as trt

# Printed on success too, where no GPU is present.
NO_GPU = "cudaError 35"


class Log(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)
        self.errors, self.warnings, self.layers = [], [], ""

    def log(self, severity, message):
        if message.startswith("Layers:"):
            self.layers = message
        elif NO_GPU in message or "CUDA driver version is insufficient" in message:
            return
        elif severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
            self.errors.append(message)
        elif severity == trt.ILogger.WARNING and message not in self.warnings:
            self.warnings.append(message)


class Refused(Exception):
    def __init__(self, stage, messages):
        super().__init__(stage)
        self.stage, self.messages = stage, messages


def target(capability):
    name = "SM" + capability.replace(".", "")
    known = trt.ComputeCapability.__members__
    if name not in known or name in ("NONE", "CURRENT"):
        accepted = [f"{m[2:-1]}.{m[-1]}" for m in known if m.startswith("SM")]
        raise Refused("request", [f"compute capability {capability} is not among {', '.join(accepted)}"])
    return known[name]


def parse(log, builder, path):
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if parser.parse_from_file(path):
        return network, parser
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    raise Refused("parse", [f"{e.node_operator()} {e.node_name()}: {e.desc()}".strip() for e in errors])


def configure(builder, capability, shapes):
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    # The count comes first: setting a capability checks its index against it.
    config.num_compute_capabilities = 1
    config.set_compute_capability(target(capability), 0)
    if shapes:
        profile = builder.create_optimization_profile()
        for name, s in shapes.items():
            profile.set_shape(name, s["min"], s["opt"], s["max"])
        config.add_optimization_profile(profile)
    return config


def build(request, capability):
    log = Log()
    builder = trt.Builder(log)
    # A network can be compiled once with one target, so each engine parses anew: milliseconds.
    network, parser = parse(log, builder, request["onnx"])
    config = configure(builder, capability, request["shapes"])
    log.errors.clear()
    start = time.monotonic()
    engine = builder.build_serialized_network(network, config)
    seconds = time.monotonic() - start
    del parser
    if engine is None:
        raise Refused("build", log.errors or ["the builder gave no engine and no reason"])
    path = os.path.join(request["outDir"], f"model-sm{capability.replace('.', '')}.engine")
    with open(path, "wb") as file:
        file.write(memoryview(engine))
    return {"computeCapability": capability, "path": path, "seconds": seconds, "layers": log.layers}, log.warnings


def answer(request):
    engines, warnings = [], []
    try:
        for capability in request["computeCapabilities"]:
            target(capability)
        for capability in request["computeCapabilities"]:
            engine, said = build(request, capability)
            engines.append(engine)
            warnings += [w for w in said if w not in warnings]
    except Refused as refused:
        return {"error": {"stage": refused.stage, "messages": refused.messages}}
    return {"engines": engines, "warnings": warnings}


def exit_with_parent():
    """The caller keeps stdin open; its end means that the caller is gone."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    # Native code prints to file descriptor 1 at will: keep it for the answer alone.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=exit_with_parent, daemon=True).start()
    # The daemon thread holds stdin's lock, which a regular exit would wait for.
    try:
        out.write(json.dumps({"version": trt.__version__, **answer(request)}) + "\n")
        out.flush()
        os._exit(0)
    except Exception:
        traceback.print_exc()
        os._exit(1)
