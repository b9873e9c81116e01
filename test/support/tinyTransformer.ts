/**
 * Transformers of random weights in the two common shapes: BERT's (token ids, normalised behind each residual) and ViT's
 * (patches of a picture, normalised before each branch). One channel of each normalisation is far larger than the others,
 * as in trained ones. Below operator set 17 the normalisation is written out, as exporters do.
 */
import { DataType } from "../../onnx/ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Value } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { mulberry32 } from "../../onnx/seededTensor.ts";

const WIDTH = 64;
const HEADS = 4;
const LAYERS = 2;
const WORDS = 512;
const SIDE = 32;
const PATCH = 8;
const OUTLIER = 5;

export type TransformerShape = "bert" | "vit";

/** Input `ids` [1, "length"] or `image` [1,3,32,32]; output `out` [1, length, 64]. */
export function tinyTransformer(shape: TransformerShape, opset: number): Model {
  return new Builder(opset).build(shape);
}

/** Inputs from a seed; texts have different lengths. */
export function transformerItems(shape: TransformerShape, count: number): HostTensors[] {
  const random = mulberry32(11);
  return Array.from({ length: count }, (_, i): HostTensors => {
    if (shape === "vit") {
      const data = Float32Array.from({ length: 3 * SIDE * SIDE }, random);
      return { image: { dataType: DataType.FLOAT, dims: [1, 3, SIDE, SIDE], data } };
    }
    const length = 6 + (i % 9);
    const data = BigInt64Array.from({ length }, () => BigInt(Math.floor(random() * WORDS)));
    return { ids: { dataType: DataType.INT64, dims: [1, length], data } };
  });
}

class Builder {
  readonly #graph = new Graph("transformer");
  readonly #random = mulberry32(7);

  constructor(private readonly opset: number) {}

  build(shape: TransformerShape): Model {
    const model = new Model(this.#graph);
    model.opsetImports.set("", this.opset);
    let x = shape === "bert" ? this.normalised(this.words()) : this.patches();
    for (let i = 0; i < LAYERS; i++) x = shape === "bert" ? this.postNormLayer(x) : this.preNormLayer(x);
    const out = shape === "bert" ? x : this.normalised(x);
    this.#graph.rename(out, "out");
    out.type = { elemType: DataType.FLOAT, shape: [1, shape === "bert" ? "length" : (SIDE / PATCH) ** 2, WIDTH] };
    this.#graph.addOutput(out);
    return model;
  }

  private postNormLayer(x: Value): Value {
    const attended = this.normalised(this.op("Add", [this.attention(x), x]));
    return this.normalised(this.op("Add", [this.feedForward(attended), attended]));
  }

  private preNormLayer(x: Value): Value {
    const attended = this.op("Add", [this.attention(this.normalised(x)), x]);
    return this.op("Add", [this.feedForward(this.normalised(attended)), attended]);
  }

  private words(): Value {
    const ids = this.#graph.addInput("ids", { elemType: DataType.INT64, shape: [1, "length"] });
    return this.op("Gather", [this.weight([WORDS, WIDTH], 1), ids]);
  }

  private patches(): Value {
    const image = this.#graph.addInput("image", { elemType: DataType.FLOAT, shape: [1, 3, SIDE, SIDE] });
    const kernel = this.weight([WIDTH, 3, PATCH, PATCH], 0.1);
    const cells = this.op("Conv", [image, kernel], { kernel_shape: [PATCH, PATCH], strides: [PATCH, PATCH] });
    return this.op("Transpose", [this.op("Reshape", [cells, this.shapeOf([0, 0, -1])])], { perm: [0, 2, 1] });
  }

  private attention(x: Value): Value {
    const heads = (value: Value) => this.op("Reshape", [value, this.shapeOf([0, 0, HEADS, WIDTH / HEADS])]);
    const query = this.op("Transpose", [heads(this.linear(x, WIDTH, WIDTH))], { perm: [0, 2, 1, 3] });
    const key = this.op("Transpose", [heads(this.linear(x, WIDTH, WIDTH))], { perm: [0, 2, 3, 1] });
    const value = this.op("Transpose", [heads(this.linear(x, WIDTH, WIDTH))], { perm: [0, 2, 1, 3] });
    const scores = this.op("Div", [this.op("MatMul", [query, key]), this.scalar(Math.sqrt(WIDTH / HEADS))]);
    const mixed = this.op("MatMul", [this.op("Softmax", [scores], { axis: 3 }), value]);
    const joined = this.op("Reshape", [
      this.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }),
      this.shapeOf([0, 0, WIDTH]),
    ]);
    return this.linear(joined, WIDTH, WIDTH);
  }

  private feedForward(x: Value): Value {
    const inner = this.linear(x, WIDTH, 4 * WIDTH);
    const bent = this.op("Add", [this.op("Erf", [this.op("Div", [inner, this.scalar(Math.SQRT2)])]), this.scalar(1)]);
    const gelu = this.op("Mul", [this.op("Mul", [inner, bent]), this.scalar(0.5)]);
    return this.linear(gelu, 4 * WIDTH, WIDTH);
  }

  private linear(x: Value, from: number, to: number): Value {
    const product = this.op("MatMul", [x, this.weight([from, to], Math.sqrt(1 / from))]);
    return this.op("Add", [this.weight([to], 0.1), product]);
  }

  private normalised(x: Value): Value {
    const scale = this.#graph.addInitializer(
      "scale",
      Tensor.f32(
        [WIDTH],
        Float32Array.from({ length: WIDTH }, (_, c) => (c === OUTLIER ? 12 : 0.5 + this.#random())),
      ),
    );
    const bias = this.weight([WIDTH], 0.1);
    if (this.opset >= 17) return this.op("LayerNormalization", [x, scale, bias], { axis: -1 });
    const mean = (value: Value) => this.op("ReduceMean", [value], { axes: [-1] });
    const centred = this.op("Sub", [x, mean(x)]);
    const variance = this.op("Add", [mean(this.op("Pow", [centred, this.scalar(2)])), this.scalar(1e-5)]);
    const unit = this.op("Div", [centred, this.op("Sqrt", [variance])]);
    return this.op("Add", [this.op("Mul", [unit, scale]), bias]);
  }

  private op(opType: string, inputs: readonly Value[], attributes: Record<string, AttributeInput> = {}): Value {
    const name = `n${this.#graph.nodes.length}`;
    return this.#graph.addNode({ opType, name, inputs, outputs: [`${name}_y`], attributes }).output();
  }

  private weight(dims: readonly number[], size: number): Value {
    const count = dims.reduce((a, b) => a * b, 1);
    // Sums of three are near enough to a normal distribution, of which exactly none is like another.
    const data = Float32Array.from(
      { length: count },
      () => 2 * size * (this.#random() + this.#random() + this.#random() - 1.5),
    );
    return this.#graph.addInitializer("w", Tensor.f32(dims, data));
  }

  private scalar(x: number): Value {
    return this.#graph.addInitializer("c", Tensor.f32([], [x]));
  }

  private shapeOf(dims: readonly number[]): Value {
    return this.#graph.addInitializer("shape", Tensor.i64([dims.length], dims));
  }
}
