"""Graphs with random weights, for time and latency alone: OUT_FOLDER. Each that cannot be made is said on stderr."""
import os
import sys

import torch

folder = sys.argv[1]
torch.manual_seed(0)


def yolo(name, **options):
    from ultralytics import YOLO

    os.chdir(folder)
    YOLO(f"{name}.yaml").export(format="onnx", simplify=False, imgsz=640, opset=18, **options)


def save(name, model, inputs, names):
    path = os.path.join(folder, f"{name}.onnx")
    torch.onnx.export(
        model.eval(), inputs, path, input_names=names, output_names=["output"], dynamo=True, external_data=False,
        optimize=False,
    )


def vit():
    from torchvision.models import VisionTransformer

    model = VisionTransformer(224, 16, num_layers=12, num_heads=3, hidden_dim=192, mlp_dim=768, num_classes=1000)
    save("vit-tiny", model, (torch.zeros(1, 3, 224, 224),), ["images"])


class Bert(torch.nn.Module):
    def __init__(self, layers=6, width=384, heads=12, words=30522):
        super().__init__()
        self.words = torch.nn.Embedding(words, width)
        self.places = torch.nn.Parameter(torch.randn(1, 512, width))
        layer = torch.nn.TransformerEncoderLayer(width, heads, 4 * width, activation="gelu", batch_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, ids):
        return self.encoder(self.words(ids) + self.places[:, : ids.shape[1]])


def bert():
    save("bert-small", Bert(), (torch.zeros(1, 128, dtype=torch.int64),), ["input_ids"])


makers = {
    "yolov8n": lambda: yolo("yolov8n"),
    "yolov10n": lambda: yolo("yolov10n", end2end=True),
    "yolo11n": lambda: yolo("yolo11n"),
    "vit-tiny": vit,
    "bert-small": bert,
}
for name, make in makers.items():
    if os.path.exists(os.path.join(folder, f"{name}.onnx")):
        continue
    try:
        make()
    except Exception as error:
        print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)
