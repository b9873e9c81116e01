"""Exports a YOLO of Ultralytics' own descriptions to ONNX with Ultralytics' exporter. One JSON line in, one JSON line out.

In:  {"architecture": "yolov10n", "weights": path or null, "width": 640, "height": 640, "opset": 17, "outDir": path}
Out: {"exporter": "ultralytics 8.4.190, torch 2.9.1", "model": path, "parameters": 2299264, "classes": [name], "tensors": 595}
  or {"error": {"stage": "architecture" | "weights" | "export", "message": text}}

Weights are read as tensors alone (checkpoint.py): the model is built from the description that ships with Ultralytics, so
no code and no structure of the file is ever used.
"""

import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


class Refused(Exception):
    def __init__(self, stage, message):
        super().__init__(message)
        self.stage, self.message = stage, message


def build(request):
    """The model, and how many tensors of the checkpoint it took."""
    import torch
    from ultralytics import YOLO
    from ultralytics.nn.tasks import DetectionModel, yaml_model_load

    import checkpoint

    torch.manual_seed(0)
    try:
        description = yaml_model_load(f"{request['architecture']}.yaml")
    except FileNotFoundError:
        raise Refused("architecture", f"this Ultralytics ships no {request['architecture']}") from None
    yolo = YOLO(f"{request['architecture']}.yaml", task="detect")
    if request["weights"] is None:
        return yolo, None
    try:
        file = checkpoint.Checkpoint(request["weights"])
    except checkpoint.Refused as refused:
        raise Refused("weights", str(refused)) from None
    model = DetectionModel(description, nc=file.class_count, verbose=False)
    model.args, model.task = yolo.model.args, yolo.model.task
    wanted = model.state_dict()
    check(file.tensors, wanted, request["architecture"])
    model.load_state_dict({name: torch_tensor(torch, file, file.tensors[name]) for name in wanted})
    names = {k: str(v)[:100] for k, v in file.classes.items() if type(k) is int}
    if len(names) == file.class_count:
        model.names = names
    yolo.model = model
    return yolo, len(wanted)


def check(have, wanted, architecture):
    missing = [name for name in wanted if name not in have]
    other = [name for name, value in wanted.items() if name in have and have[name].size != tuple(value.shape)]
    extra = [name for name in have if name not in wanted]
    if missing or other or extra:
        first = (missing or other or extra)[0]
        counts = f"{len(missing)} tensors missing, {len(other)} of another shape, {len(extra)} too many; first {first}"
        raise Refused("weights", f"they are not of {architecture} ({counts})")


def torch_tensor(torch, file, tensor):
    storage = torch.frombuffer(bytearray(file.bytes_of(tensor)), dtype=getattr(torch, tensor.storage.dtype))
    try:
        return storage.as_strided(tensor.size, tensor.stride, tensor.offset)
    except RuntimeError as error:
        raise Refused("weights", f"a tensor reaches beyond its bytes ({error})") from None


def export(request):
    os.environ.update(
        YOLO_OFFLINE="true",  # no statistics, no download
        YOLO_AUTOINSTALL="false",  # nothing is installed on the way
        YOLO_VERBOSE="false",
        YOLO_CONFIG_DIR=request["outDir"],
        CUDA_VISIBLE_DEVICES="",
    )
    # Descriptions are looked for in the working directory first.
    os.chdir(request["outDir"])
    import torch
    import ultralytics

    yolo, tensors = build(request)
    size = [request["height"], request["width"]]
    try:
        # nms=False: the end-to-end head of the models that have one.
        path = yolo.export(
            format="onnx", imgsz=size, opset=request["opset"], simplify=False, nms=False, dynamic=False, device="cpu"
        )
    except Exception as error:
        raise Refused("export", f"{type(error).__name__}: {error}") from None
    names = getattr(yolo.model, "names", {})
    return {
        "exporter": f"ultralytics {ultralytics.__version__}, torch {torch.__version__}",
        "model": os.path.abspath(path),
        "parameters": sum(p.numel() for p in yolo.model.parameters()),
        "classes": [str(names[k]) for k in sorted(names)] if tensors is not None else [],
        "tensors": tensors,
    }


def main():
    request = json.loads(sys.stdin.readline())
    # The caller holds stdin open as long as it lives.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
    # Ultralytics talks on stdout; the answer alone belongs there.
    answers, sys.stdout = sys.stdout, sys.stderr
    try:
        answer = export(request)
    except Refused as refused:
        answer = {"error": {"stage": refused.stage, "message": refused.message}}
    print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)


main()
