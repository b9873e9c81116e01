/**
 * One layer refitted in closed form: weights W and bias b that minimise |Y - (W x + b)|^2 + lambda |W - W0|^2 over
 * sampled positions, where Y is what the original model computed at the layer's output (its channels that stay), x what
 * the pruned model gives the layer now, and W0 the weights as they were cut.
 */

import type { Node } from "../../ir/graph.ts";
import type { HostTensor } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import {
  type ConvGeometry,
  gatherInputs,
  gatherOutputs,
  type Image,
  samplePositions,
} from "../../kernels/convSamples.ts";
import { type NormalEquations, newNormalEquations, ridgeSolve } from "../../kernels/leastSquares.ts";
import type { GramProducts } from "./gramProducts.ts";
import type { Layer } from "./layers.ts";

export interface LayerShape {
  readonly geometry: ConvGeometry;
  readonly groups: number;
  /** Channels of x that one group reads, and channels of y that it writes. */
  readonly inputs: number;
  readonly outputs: number;
}

/** Undefined where this kind of layer is not refitted. */
export function layerShape(layer: Layer): LayerShape | undefined {
  const { node, weight } = layer;
  const dims = weight.initializer?.dims ?? [];
  if (node.opType === "Conv") {
    const [m = 0, perGroup = 0, kh, kw] = dims;
    const groups = node.int("group") ?? 1;
    const geometry = convGeometry(node, kh, kw);
    return geometry && { geometry, groups, inputs: perGroup, outputs: m / groups };
  }
  if (node.opType === "ConvTranspose") return undefined;
  if (node.opType === "Gemm" && (node.int("transA") === 1 || !plainGemm(node))) return undefined;
  const [inputs = 0, outputs = 0] = layer.inAxis === 0 ? dims : dims.toReversed();
  return { geometry: UNIT, groups: 1, inputs, outputs };
}

export const UNIT: ConvGeometry = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0] };

function plainGemm(node: Node): boolean {
  const bias = node.inputs[2];
  const width = node.output().shape?.[1];
  return (
    (node.float("alpha") ?? 1) === 1 &&
    (node.float("beta") ?? 1) === 1 &&
    (!bias || (bias.initializer?.dims.length === 1 && bias.initializer.dims[0] === width))
  );
}

export function convGeometry(node: Node, kh: number | undefined, kw: number | undefined): ConvGeometry | undefined {
  if (kh === undefined || kw === undefined || (node.string("auto_pad") ?? "NOTSET") !== "NOTSET") return undefined;
  const pair = (name: string, fill: number): readonly [number, number] => {
    const [a, b] = node.ints(name) ?? [];
    return [a ?? fill, b ?? fill];
  };
  return { kernel: [kh, kw], strides: pair("strides", 1), dilations: pair("dilations", 1), pads: pair("pads", 0) };
}

/** Channels in axis 1, positions in the last two: a matrix [.., m, k] is one image of k channels and m positions. */
export function asImage(tensor: HostTensor, axis: number): Image | undefined {
  if (!(tensor.data instanceof Float32Array)) return undefined;
  if (tensor.dims.length === 4 && axis === 1) return { data: tensor.data, dims: tensor.dims };
  const channels = tensor.dims.at(-1) ?? 1;
  const rows = tensor.data.length / channels;
  const data = new Float32Array(tensor.data.length);
  for (let c = 0; c < channels; c++)
    for (let r = 0; r < rows; r++) data[c * rows + r] = tensor.data[r * channels + c] ?? 0;
  return { data, dims: [1, channels, 1, rows] };
}

/** Samples of one layer, gathered item by item in memory that does not grow with the items. */
export class LayerFit {
  readonly #equations: readonly NormalEquations[];

  constructor(
    readonly layer: Layer,
    readonly shape: LayerShape,
    /** Channels of the original output that the pruned layer still has. */
    readonly channels: readonly number[],
    readonly rowsPerItem: number,
  ) {
    const unknowns = this.#inputs + (this.#hasBias ? 1 : 0);
    this.#equations = Array.from({ length: shape.groups }, () => newNormalEquations(unknowns, shape.outputs));
  }

  /** Weights of one output channel. */
  get #inputs(): number {
    const { inputs, geometry } = this.shape;
    return inputs * geometry.kernel[0] * geometry.kernel[1];
  }
  get #hasBias(): boolean {
    return this.layer.node.opType !== "MatMul";
  }

  /** `x` from the pruned model, `y` from the original one, for the same item. */
  async add({ x, y }: { x: HostTensor; y: HostTensor }, seed: number, products: GramProducts): Promise<void> {
    const { layer, shape, channels } = this;
    const [from, to] = [asImage(x, layer.xAxis), asImage(y, layer.yAxis)];
    if (!from || !to) return;
    const [n = 1, , outHeight = 1, outWidth = 1] = to.dims;
    const positions = samplePositions(n * outHeight * outWidth, this.rowsPerItem, seed);
    for (const [g, equations] of this.#equations.entries()) {
      const a = gatherInputs(
        from,
        { from: g * shape.inputs, count: shape.inputs },
        { positions, outHeight, outWidth },
        shape.geometry,
      );
      const own = channels.slice(g * shape.outputs, (g + 1) * shape.outputs);
      await products.add(equations, a, gatherOutputs(to, own, positions), positions.length);
    }
  }

  /** New weight and bias, and the share of the old error that is left; undefined where the data say nothing. */
  async solve(ridge: number): Promise<{ weight: Tensor; bias: Tensor | undefined; errorLeft: number } | undefined> {
    const { layer, shape } = this;
    const old = layer.weight.initializer;
    if (!old) return undefined;
    const weights = await old.floats();
    const bias = await layer.node.inputs[2]?.initializer?.floats();
    const data = new Float32Array(weights.length);
    const shift = new Float32Array(shape.groups * shape.outputs);
    let [before, after] = [0, 0];
    for (const [g, equations] of this.#equations.entries()) {
      const { n, m } = equations;
      const inputs = this.#inputs;
      const place = (i: number, t: number) => this.#place(g, i, t);
      const prior = new Float64Array(n * m);
      for (let t = 0; t < m; t++) {
        for (let i = 0; i < inputs; i++) prior[i * m + t] = weights[place(i, t)] ?? 0;
        if (this.#hasBias) prior[inputs * m + t] = bias?.[g * m + t] ?? 0;
      }
      const solution = ridgeSolve(equations, prior, ridge);
      if (!solution) return undefined;
      before += solution.before;
      after += solution.after;
      for (let t = 0; t < m; t++) {
        for (let i = 0; i < inputs; i++) data[place(i, t)] = solution.weights[i * m + t] ?? 0;
        shift[g * m + t] = solution.weights[inputs * m + t] ?? 0;
      }
    }
    if (!(after < before) || !data.every(Number.isFinite)) return undefined;
    return {
      weight: Tensor.f32(old.dims, data),
      bias: this.#hasBias ? Tensor.f32([shift.length], shift) : undefined,
      errorLeft: before > 0 ? Math.max(0, after) / before : 1,
    };
  }

  /** Where regressor i of target t of group g lies in the weight. */
  #place(g: number, i: number, t: number): number {
    const { layer, shape } = this;
    const n = this.#inputs;
    return layer.outAxis === 0 ? (g * shape.outputs + t) * n + i : i * shape.outputs + t;
  }
}
