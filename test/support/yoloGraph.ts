/**
 * The graphs of YOLOv8 and YOLO11 detectors at 640 x 640, without weights: what published latencies are compared with.
 * Written from the layer tables of the two architectures; parameters and FLOPs are checked against the published ones.
 */

import { inferShapes } from "../../onnx/infer.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model, type Node, type Value } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";

export type YoloSize = "n" | "s" | "m" | "l" | "x";
export type YoloPrecision = "f32" | "f16" | "i8";

/** Depth and width multipliers, and the most channels before the width multiplier. */
const SCALES = {
  v8: { n: [0.33, 0.25, 1024], s: [0.33, 0.5, 1024], m: [0.67, 0.75, 768], l: [1, 1, 512], x: [1, 1.25, 512] },
  v11: { n: [0.5, 0.25, 1024], s: [0.5, 0.5, 1024], m: [0.5, 1, 512], l: [1, 1, 512], x: [1, 1.5, 512] },
} as const;

const CLASSES = 80;
const BOX_BINS = 16;

export function yoloModel(version: "v8" | "v11", size: YoloSize, precision: YoloPrecision = "f32"): Model {
  const graph = new Graph("yolo");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const [depth, width, most] = SCALES[version][size];
  const b = new Builder(graph, precision);
  const channels = (c: number) => Math.ceil((Math.min(c, most) * width) / 8) * 8;
  const repeats = (n: number) => Math.max(1, Math.round(n * depth));
  const image = graph.addInput("images", { elemType: b.floatType, shape: [1, 3, 640, 640] });
  const levels =
    version === "v8" ? v8Body(b, image, channels, repeats) : v11Body(b, image, { channels, repeats, size });
  detect(b, levels, version === "v11");
  inferShapes(model);
  return model;
}

type Count = (n: number) => number;

function v8Body(b: Builder, image: Value, channels: Count, repeats: Count): Value[] {
  const c2f = (x: Value, c: number, n: number, shortcut: boolean) => {
    const half = channels(c) / 2;
    return b.split(x, [channels(c), half, repeats(n)], (y) => b.bottleneck(y, half, half, shortcut));
  };
  const down = (x: Value, c: number) => b.conv(x, channels(c), 3, 2);
  const p2 = c2f(down(down(image, 64), 128), 128, 3, true);
  const p3 = c2f(down(p2, 256), 256, 6, true);
  const p4 = c2f(down(p3, 512), 512, 6, true);
  const p5 = b.pyramid(c2f(down(p4, 1024), 1024, 3, true), channels(1024));
  const up4 = c2f(b.concat([b.upsample(p5), p4]), 512, 3, false);
  const out3 = c2f(b.concat([b.upsample(up4), p3]), 256, 3, false);
  const out4 = c2f(b.concat([down(out3, 256), up4]), 512, 3, false);
  const out5 = c2f(b.concat([down(out4, 512), p5]), 1024, 3, false);
  return [out3, out4, out5];
}

function v11Body(b: Builder, image: Value, scale: { channels: Count; repeats: Count; size: YoloSize }): Value[] {
  const { channels, repeats } = scale;
  const always = scale.size === "m" || scale.size === "l" || scale.size === "x";
  const c3k2 = (x: Value, c: number, nested: boolean, ratio = 0.5) => {
    const inner = Math.floor(channels(c) * ratio);
    return b.split(x, [channels(c), inner, repeats(2)], (y) =>
      nested || always ? b.nested(y, inner) : b.bottleneck(y, inner, inner / 2, true),
    );
  };
  const down = (x: Value, c: number) => b.conv(x, channels(c), 3, 2);
  const p2 = c3k2(down(down(image, 64), 128), 256, false, 0.25);
  const p3 = c3k2(down(p2, 256), 512, false, 0.25);
  const p4 = c3k2(down(p3, 512), 512, true);
  const pooled = b.pyramid(c3k2(down(p4, 1024), 1024, true), channels(1024));
  const p5 = b.attentionBlock(pooled, channels(1024), repeats(2));
  const up4 = c3k2(b.concat([b.upsample(p5), p4]), 512, false);
  const out3 = c3k2(b.concat([b.upsample(up4), p3]), 256, false);
  const out4 = c3k2(b.concat([down(out3, 256), up4]), 512, false);
  const out5 = c3k2(b.concat([down(out4, 512), p5]), 1024, true);
  return [out3, out4, out5];
}

/** Box bins and classes of each level; YOLO11 makes the class branch of depthwise and pointwise convolutions. */
function detect(b: Builder, levels: readonly Value[], separable: boolean): void {
  const first = b.channelsOf(levels[0]);
  const boxWidth = Math.max(16, Math.floor(first / 4), BOX_BINS * 4);
  const classWidth = Math.max(first, Math.min(CLASSES, 100));
  const flat = levels.map((x) => {
    const boxes = b.conv(b.conv(x, boxWidth, 3), boxWidth, 3);
    const mix = (y: Value, c: number) => (separable ? b.conv(b.depthwise(y), c, 1) : b.conv(y, c, 3));
    const classes = mix(mix(x, classWidth), classWidth);
    const both = b.concat([b.plain(boxes, BOX_BINS * 4), b.plain(classes, CLASSES)]);
    return b.reshape(both, [1, BOX_BINS * 4 + CLASSES, -1]);
  });
  const joined = b.concat(flat, 2);
  const [boxes, classes] = b.parts(joined, [BOX_BINS * 4, CLASSES], 1);
  if (!boxes || !classes) throw new Error("two parts");
  const bins = b.reshape(boxes, [1, 4, BOX_BINS, -1]);
  const softened = b.op("Softmax", [b.op("Transpose", [bins], { perm: [0, 2, 1, 3] })], { axis: 1 });
  const distances = b.reshape(b.plain(softened, 1), [1, 4, -1]);
  const scores = b.op("Sigmoid", [classes], {});
  b.graph.addOutput(b.op("Concat", [distances, scores], { axis: 1 }));
}

class Builder {
  readonly floatType: number;
  #count = 0;

  constructor(
    readonly graph: Graph,
    readonly precision: YoloPrecision,
  ) {
    this.floatType = precision === "f16" ? DataType.FLOAT16 : DataType.FLOAT;
  }

  channelsOf(value: Value | undefined): number {
    const channels = value?.shape?.[1];
    if (typeof channels !== "number") throw new Error("channels are not known");
    return channels;
  }

  /** Appends a node and infers its shape at once, since layers ask for the channels before them. */
  op(opType: string, inputs: Value[], attributes: Record<string, number | string | number[]>): Value {
    const name = `${opType}_${this.#count++}`;
    const node = this.graph.addNode({ opType, inputs, outputs: [name], name, attributes });
    this.#infer(node);
    return node.output();
  }

  conv(x: Value, out: number, k: number, stride = 1): Value {
    const y = this.#convolve(x, { out, k, stride, group: 1 });
    return this.#quantized(this.op("Mul", [y, this.op("Sigmoid", [y], {})], {}));
  }

  depthwise(x: Value): Value {
    const channels = this.channelsOf(x);
    const y = this.#convolve(x, { out: channels, k: 3, stride: 1, group: channels });
    return this.#quantized(this.op("Mul", [y, this.op("Sigmoid", [y], {})], {}));
  }

  plain(x: Value, out: number): Value {
    return this.#quantized(this.#convolve(x, { out, k: 1, stride: 1, group: 1 }));
  }

  #convolve(x: Value, { out, k, stride, group }: { out: number; k: number; stride: number; group: number }): Value {
    const dims = [out, this.channelsOf(x) / group, k, k];
    const weight = this.#weight(dims);
    const bias = this.graph.addInitializer(`b${this.#count}`, new Tensor(this.floatType, [out], {}));
    const pad = (k - 1) / 2;
    const attributes = { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad], group };
    return this.op("Conv", [x, weight, bias], attributes);
  }

  #weight(dims: number[]): Value {
    const name = `w${this.#count}`;
    if (this.precision !== "i8") return this.graph.addInitializer(name, new Tensor(this.floatType, dims, {}));
    const stored = this.graph.addInitializer(name, new Tensor(DataType.INT8, dims, {}));
    return this.op("DequantizeLinear", [stored, this.#scale()], {});
  }

  #scale(): Value {
    return this.graph.addInitializer(`s${this.#count}`, Tensor.f32([], [1]));
  }

  #quantized(x: Value): Value {
    if (this.precision !== "i8") return x;
    const zero = this.graph.addInitializer(`z${this.#count}`, new Tensor(DataType.INT8, [], {}));
    const scale = this.#scale();
    return this.op("DequantizeLinear", [this.op("QuantizeLinear", [x, scale, zero], {}), scale, zero], {});
  }

  concat(parts: Value[], axis = 1): Value {
    return this.#quantized(this.op("Concat", parts, { axis }));
  }

  reshape(x: Value, shape: number[]): Value {
    const target = this.graph.addInitializer(`r${this.#count}`, Tensor.i64([shape.length], shape));
    return this.op("Reshape", [x, target], {});
  }

  upsample(x: Value): Value {
    const empty = this.graph.addInitializer(
      `e${this.#count}`,
      new Tensor(DataType.FLOAT, [0], { inline: new Uint8Array() }),
    );
    const scales = this.graph.addInitializer(`u${this.#count}`, Tensor.f32([4], [1, 1, 2, 2]));
    return this.#quantized(this.op("Resize", [x, empty, scales], { mode: "nearest" }));
  }

  bottleneck(x: Value, out: number, hidden: number, shortcut: boolean): Value {
    const y = this.conv(this.conv(x, hidden, 3), out, 3);
    return shortcut ? this.#quantized(this.op("Add", [x, y], {})) : y;
  }

  /** 1 x 1 into two halves, blocks on the second, everything joined by a 1 x 1. */
  split(x: Value, [out, inner, blocks]: readonly [number, number, number], block: (x: Value) => Value): Value {
    const [left, right] = this.#halves(this.conv(x, inner * 2, 1), inner);
    const parts = [left, right];
    for (let i = 0; i < blocks; i++) parts.push(block(parts.at(-1) ?? right));
    return this.conv(this.concat(parts), out, 1);
  }

  parts(x: Value, sizes: number[], axis: number): Value[] {
    const given = this.graph.addInitializer(`p${this.#count}`, Tensor.i64([sizes.length], sizes));
    const outputs = sizes.map((_, i) => `part_${this.#count}_${i}`);
    const node = this.graph.addNode({ opType: "Split", inputs: [x, given], outputs, attributes: { axis } });
    this.#count++;
    this.#infer(node);
    return sizes.map((_, i) => node.output(i));
  }

  #halves(x: Value, size: number): [Value, Value] {
    const [left = x, right = x] = this.parts(x, [size, size], 1).map((part) => this.#quantized(part));
    return [left, right];
  }

  /** YOLO11's block of blocks: two bottlenecks on one branch beside a plain one. */
  nested(x: Value, out: number): Value {
    const hidden = out / 2;
    let y = this.conv(x, hidden, 1);
    for (let i = 0; i < 2; i++) y = this.bottleneck(y, hidden, hidden, true);
    return this.conv(this.concat([y, this.conv(x, hidden, 1)]), out, 1);
  }

  pyramid(x: Value, out: number): Value {
    const parts = [this.conv(x, this.channelsOf(x) / 2, 1)];
    for (let i = 0; i < 3; i++) {
      const pooled = this.op("MaxPool", [parts.at(-1) ?? x], { kernel_shape: [5, 5], pads: [2, 2, 2, 2] });
      parts.push(this.#quantized(pooled));
    }
    return this.conv(this.concat(parts), out, 1);
  }

  attentionBlock(x: Value, out: number, blocks: number): Value {
    const inner = out / 2;
    const [left, right] = this.#halves(this.conv(x, inner * 2, 1), inner);
    let y = right;
    for (let i = 0; i < blocks; i++) {
      y = this.op("Add", [y, this.#attention(y, inner)], {});
      y = this.op("Add", [y, this.plain(this.conv(y, inner * 2, 1), inner)], {});
    }
    return this.conv(this.concat([left, y]), out, 1);
  }

  /** Heads of 64 channels with keys of 32 over 20 x 20 positions. */
  #attention(x: Value, channels: number): Value {
    const heads = channels / 64;
    const qkv = this.reshape(this.plain(x, channels * 2), [1, heads, 128, 400]);
    const [q = qkv, k = qkv, v = qkv] = this.parts(qkv, [32, 32, 64], 2);
    const queries = this.op("Transpose", [q], { perm: [0, 1, 3, 2] });
    const weights = this.op("Softmax", [this.op("MatMul", [queries, k], {})], { axis: -1 });
    const mixed = this.op("MatMul", [v, this.op("Transpose", [weights], { perm: [0, 1, 3, 2] })], {});
    const values = this.reshape(mixed, [1, channels, 20, 20]);
    const position = this.#convolve(this.reshape(v, [1, channels, 20, 20]), {
      out: channels,
      k: 3,
      stride: 1,
      group: channels,
    });
    return this.plain(this.op("Add", [values, position], {}), channels);
  }

  /** Shapes of one node alone: the graph before it has them already. */
  #infer(node: Node): void {
    const alone = new Model(this.graph);
    alone.opsetImports.set("", 17);
    const { nodes } = this.graph;
    this.graph.nodes = [node];
    inferShapes(alone);
    this.graph.nodes = nodes;
  }
}
