/**
 * Embedding tables: a Gather of rows from a large constant. Rows are picked as integers and only they become floats.
 *
 *   8 bits: Gather(Wq) -> DequantizeLinear, one scale a column
 *   4 bits: GatherBlockQuantized, one scale a block of a row (ONNX Runtime alone)
 */

import { DataType } from "../../ir/dataType.ts";
import type { Model, Node } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import {
  blockError,
  dequantizeChannels,
  leastErrorScales,
  packNibbles,
  quantizeBlocks,
  quantizeChannels,
} from "../../kernels/quantizeWeights.ts";
import { addSignalError } from "../../kernels/signalError.ts";
import { finiteFloats } from "./finiteFloats.ts";
import { nodeName } from "./layers.ts";
import { replaceConstant, takeOver } from "./replaceConstant.ts";
import { type StreamedNibbles, streamedRows } from "./streamedNibbles.ts";

/** Smaller tables are not worth a node. */
const SMALLEST_TABLE = 2 ** 14;

export interface Embedding {
  readonly node: Node;
  readonly table: Tensor;
  readonly rows: number;
  readonly columns: number;
}

export interface QuantizedEmbedding {
  readonly node: string;
  readonly output: string;
  readonly bits: 4 | 8;
  /** Signal over noise of the table, dB. */
  readonly sqnrDb: number | undefined;
}

export function embeddingsOf(model: Model, keepFloat: readonly string[]): readonly Embedding[] {
  return model.graph.nodes.flatMap((node) => {
    const table = node.opType === "Gather" && (node.int("axis") ?? 0) === 0 ? node.inputs[0]?.constant : undefined;
    const [rows, columns] = table?.dims ?? [];
    if (!table || !rows || !columns || table.dims.length !== 2 || table.dataType !== DataType.FLOAT) return [];
    return table.size < SMALLEST_TABLE || keepFloat.includes(nodeName(node)) ? [] : [{ node, table, rows, columns }];
  });
}

/** Needs operator set 13 (DequantizeLinear per axis). */
export async function embeddingToBytes({ node, table, rows, columns }: Embedding): Promise<QuantizedEmbedding> {
  const { graph } = node;
  const { name } = node.input(0);
  const out = node.output();
  const weights = await finiteFloats(table, nodeName(node));
  const layout = { outer: rows, channels: columns, inner: 1 };
  const scales = leastErrorScales(weights, layout, 127);
  const integers = quantizeChannels(weights, layout, scales, 127);
  const sum = { signal: 0, error: 0, maxAbs: 0 };
  addSignalError(weights, dequantizeChannels(integers, layout, scales), sum);
  replaceConstant(node, 0, graph.addInitializer(`${name}_q`, Tensor.of(DataType.INT8, [rows, columns], integers)));
  node.setOutput(0, null);
  node.setOutput(0, graph.addValue(graph.freshName(`${out.name}_q`)));
  const scale = graph.addInitializer(`${name}_s`, Tensor.f32([columns], scales));
  const after = graph.nodes[graph.nodes.indexOf(node) + 1];
  graph.addNode(
    {
      opType: "DequantizeLinear",
      name: `${nodeName(node)}_dq`,
      inputs: [node.output(), scale],
      outputs: [out],
      attributes: { axis: -1 },
    },
    after,
  );
  return { node: nodeName(node), output: out.name, bits: 8, sqnrDb: sqnrDb({ signal: sum.signal, noise: sum.error }) };
}

/** `streams`: rows are rounded as they are written, see streamedNibbles.ts. */
export async function embeddingToNibbles(
  embedding: Embedding,
  { block, streams }: { readonly block: number; readonly streams: boolean },
): Promise<QuantizedEmbedding> {
  const { node, table, rows, columns } = embedding;
  const perRow = Math.ceil(columns / block);
  const head = { node: nodeName(node), output: node.output().name, bits: 4 as const };
  if (streams && columns % 2 === 0) {
    const form = {
      block,
      node: nodeName(node),
      dataType: DataType.INT4,
      dims: [rows, columns],
      scaleType: DataType.FLOAT,
      scaleDims: [rows, perRow],
    };
    gatherNibbles(embedding, block, streamedRows(table, form));
    return { ...head, sqnrDb: undefined };
  }
  const weights = await finiteFloats(table, nodeName(node));
  const { scales, integers } = quantizeBlocks(weights, { columns, block, bits: 4, signed: true });
  const error = blockError(weights, { integers, scales, columns, perRow, block });
  gatherNibbles(embedding, block, {
    data: Tensor.of(DataType.INT4, [rows, columns], packNibbles(integers)),
    scales: Tensor.f32([rows, perRow], scales),
  });
  return { ...head, sqnrDb: sqnrDb(error) };
}

function gatherNibbles({ node }: Embedding, block: number, { data, scales }: StreamedNibbles): void {
  const { graph } = node;
  const { name } = node.input(0);
  const gathered = graph.addNode(
    {
      opType: "GatherBlockQuantized",
      domain: "com.microsoft",
      name: nodeName(node),
      inputs: [graph.addInitializer(`${name}_q`, data), node.input(1), graph.addInitializer(`${name}_s`, scales)],
      outputs: [graph.freshName(`${node.output().name}_g`)],
      attributes: { gather_axis: 0, quantize_axis: 1, block_size: block },
    },
    node,
  );
  takeOver(node, gathered.output());
}

function sqnrDb({ signal, noise }: { signal: number; noise: number }): number | undefined {
  return noise === 0 ? undefined : 10 * Math.log10(signal / noise);
}
