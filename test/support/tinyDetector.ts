/**
 * A detector small enough to write by hand, with pictures it truly works on: it finds bright squares on dark ground. The
 * pipelines of browser and contract tests run on it, so they need no other data.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model, type Value } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { modelBytes } from "../../onnx/serde/writeModel.ts";

export const TINY_SIDE = 64;
const STRIDE = 8;

/** Writes `tiny.onnx`, `images/`, `labels/` (YOLO) and `tensors.jsonl` into the folder. */
export async function writeTinyDetector(folder: string, pictures = 6): Promise<void> {
  await mkdir(join(folder, "images"), { recursive: true });
  await mkdir(join(folder, "labels"), { recursive: true });
  await writeFile(join(folder, "tiny.onnx"), await modelBytes(tinyDetector()));
  await writeFile(join(folder, "tensors.jsonl"), '{"x": [1, 2]}\n{"x": [3, 4, 5]}\n');
  for (let i = 0; i < pictures; i++) await writePicture(folder, i);
}

/** Input `image` [1,3,64,64], 0..1; output `out` [1,7,8,8] as the `fastestdet` decoder reads it, two classes. */
export function tinyDetector(): Model {
  const graph = new Graph("tiny-detector");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const image = graph.addInput("image", { elemType: DataType.FLOAT, shape: [1, 3, TINY_SIDE, TINY_SIDE] });
  const wave = (i: number) => Math.sin(i * 12.9898) * 0.01;
  // Each of 16 channels is the mean brightness of a cell, a little different from the next.
  const stem = conv(graph, image, {
    name: "stem",
    out: 16,
    kernel: STRIDE,
    weight: (i) => 1 / (3 * STRIDE * STRIDE) + wave(i) / 50,
  });
  const mid = conv(graph, relu(graph, stem), {
    name: "mid",
    out: 16,
    kernel: 1,
    weight: (i) => (i % 17 === 0 ? 1 : wave(i)),
  });
  const features = relu(graph, mid);
  const bright = { kernel: 1, weight: () => 2, bias: () => -16 } as const;
  const objectness = sigmoid(graph, conv(graph, features, { name: "objectness", out: 1, ...bright }));
  // sigmoid(-1.1) is a quarter of the picture: 16 pixels.
  const box = conv(graph, features, {
    name: "box",
    out: 4,
    kernel: 1,
    weight: () => 0,
    bias: (o) => (o < 2 ? 0.55 : -1.1),
  });
  const classes = conv(graph, features, { name: "classes", out: 2, ...bright, weight: (i) => (i < 16 ? 2 : -2) });
  const parts = [objectness, box, sigmoid(graph, classes)];
  const out = graph.addNode({
    opType: "Concat",
    name: "join",
    inputs: parts,
    outputs: ["out"],
    attributes: { axis: 1 },
  });
  const side = TINY_SIDE / STRIDE;
  out.output().type = { elemType: DataType.FLOAT, shape: [1, 7, side, side] };
  graph.addOutput(out.output());
  return model;
}

interface ConvSpec {
  readonly name: string;
  readonly out: number;
  readonly kernel: number;
  readonly weight: (index: number) => number;
  readonly bias?: (channel: number) => number;
}

function conv(graph: Graph, input: Value, spec: ConvSpec): Value {
  const channels = spec.kernel === 1 ? 16 : 3;
  const dims = [spec.out, channels, spec.kernel, spec.kernel];
  const count = spec.out * channels * spec.kernel ** 2;
  const weight = Tensor.f32(
    dims,
    Array.from({ length: count }, (_, i) => spec.weight(i)),
  );
  const bias = Tensor.f32(
    [spec.out],
    Array.from({ length: spec.out }, (_, o) => spec.bias?.(o) ?? 0),
  );
  const node = graph.addNode({
    opType: "Conv",
    name: spec.name,
    inputs: [
      input,
      graph.addInitializer(`${spec.name}.weight`, weight),
      graph.addInitializer(`${spec.name}.bias`, bias),
    ],
    outputs: [`${spec.name}.out`],
    attributes: { kernel_shape: [spec.kernel, spec.kernel], strides: [spec.kernel, spec.kernel] },
  });
  return node.output();
}

function relu(graph: Graph, input: Value): Value {
  return graph
    .addNode({ opType: "Relu", name: `${input.name}.relu`, inputs: [input], outputs: [`${input.name}.relu`] })
    .output();
}
function sigmoid(graph: Graph, input: Value): Value {
  const name = `${input.name}.sigmoid`;
  return graph.addNode({ opType: "Sigmoid", name, inputs: [input], outputs: [name] }).output();
}

/** 64 x 64, one or two bright squares of 16 px, each covering four cells' corner. */
async function writePicture(folder: string, index: number): Promise<void> {
  const rgb = Buffer.alloc(TINY_SIDE * TINY_SIDE * 3, 12 + index);
  const squares =
    index % 2 === 0
      ? [[8, 8]]
      : [
          [8, 40],
          [40, 16],
        ];
  const lines = squares.map(([left = 0, top = 0]) => {
    for (let y = top; y < top + 16; y++) {
      for (let x = left; x < left + 16; x++) rgb.fill(235, (y * TINY_SIDE + x) * 3, (y * TINY_SIDE + x) * 3 + 3);
    }
    return `0 ${(left + 8) / TINY_SIDE} ${(top + 8) / TINY_SIDE} 0.25 0.25`;
  });
  const raw = { width: TINY_SIDE, height: TINY_SIDE, channels: 3 } as const;
  await sharp(rgb, { raw })
    .jpeg({ quality: 95 })
    .toFile(join(folder, "images", `p${index}.jpg`));
  await writeFile(join(folder, "labels", `p${index}.txt`), `${lines.join("\n")}\n`);
}
