/** Puts two thin layers in the place of one: the first writes `rank` channels, the second is the old node with its bias. */
import { Tensor } from "../../ir/tensor.ts";
import { multiply } from "../../kernels/lowRank.ts";
import type { Layer } from "./layers.ts";
import type { Reading } from "./readers.ts";
import { addToBias, meanLost } from "./writeReader.ts";

/** Products of every position alone, with a weight of their own. */
export function isFactorizable({ node, weight, inAxis }: Layer): boolean {
  if (inAxis === undefined || weight.uses.length > 1) return false;
  if (node.opType === "MatMul") return true;
  if (node.opType === "Gemm")
    return node.int("transA") !== 1 && (node.float("alpha") ?? 1) === 1 && (node.float("beta") ?? 1) === 1;
  if (node.opType !== "Conv" || (node.int("group") ?? 1) > 1) return false;
  const window = weight.initializer?.dims.slice(2) ?? [];
  const isFlat = window.every((size) => size === 1) && (node.ints("pads") ?? []).every((pad) => pad === 0);
  return isFlat && (node.string("auto_pad") ?? "NOTSET") === "NOTSET";
}

export interface InsertOptions {
  /** inputs x rank and rank x outputs, row-major. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly reading: Reading;
}

export async function insertFactors(layer: Layer, options: InsertOptions): Promise<void> {
  const { node, x, y, weight } = layer;
  const { first, second, rank, inputs, outputs, reading } = options;
  const { graph } = node;
  const isConv = node.opType === "Conv";
  const window = isConv ? (weight.initializer?.dims.slice(2) ?? []) : [];
  const weightOf = (data: Float64Array, [rows, columns]: readonly [number, number], turned: boolean) => {
    const dims = turned ? [columns, rows] : [rows, columns];
    const values = Float32Array.from(data, (_, at) =>
      turned ? (data[(at % rows) * columns + Math.floor(at / rows)] ?? 0) : (data[at] ?? 0),
    );
    return graph.addInitializer(`${weight.name}_rank${rank}`, Tensor.f32([...dims, ...window], values));
  };
  const kept = isConv ? [...node.attributes].filter(([name]) => ["kernel_shape", "strides"].includes(name)) : [];
  const thin = graph.addNode(
    {
      opType: isConv ? "Conv" : "MatMul",
      name: `${node.name || y.name}_rank${rank}`,
      inputs: [x, weightOf(first, [inputs, rank], isConv)],
      outputs: [`${y.name}_rank${rank}`],
      attributes: Object.fromEntries(kept),
    },
    node,
  );
  node.setInput(0, thin.output());
  node.setInput(1, weightOf(second, [rank, outputs], isConv || node.int("transB") === 1));
  node.attributes.delete("strides");
  if (reading.means)
    await addToBias(node, meanLost(reading.rows, multiply(first, second, rank), { means: reading.means, outputs }));
}
