/**
 * MatMulNBits: ONNX Runtime multiplies from the packed weight, and takes its input in 8-bit integers block by block, which
 * is 1.4 times as fast as the float product for a thousandth of the error.
 */
import { DataType } from "../../ir/dataType.ts";
import { Tensor } from "../../ir/tensor.ts";
import { withOffsets } from "../../kernels/halfQuadratic.ts";
import {
  type BlockQuantized,
  blockError,
  packOffsetBytes,
  packOffsetNibbles,
  quantizeBlocks,
  rowsOf,
} from "../../kernels/quantizeWeights.ts";
import { finiteFloats } from "./finiteFloats.ts";
import { type Layer, nodeName } from "./layers.ts";
import { takeOver } from "./replaceConstant.ts";
import { type StreamedNibbles, streamedColumns } from "./streamedNibbles.ts";

/** `accuracy_level`: the product in 8-bit integers. */
const INTEGER_PRODUCTS = 4;

/** The layer's weight as 4-bit integers [outputs, inputs] with their scales and, where they have them, zero points. */
export function writeNibbleProduct(
  layer: Layer,
  weights: BlockQuantized & { readonly offsets?: Int8Array | undefined },
): void {
  const { integers, scales, offsets, columns, perRow, block } = weights;
  const { outputs } = layer.view;
  const shifted = offsets ? withOffsets(integers, { columns, block, offsets }) : integers;
  const data = Tensor.of(DataType.UINT8, [outputs, perRow, block / 2], packOffsetNibbles(shifted, columns, block));
  // A row of zero points is packed as if it were one block of weights.
  const half = Math.ceil(perRow / 2);
  const zeros = offsets && Tensor.of(DataType.UINT8, [outputs * half], packOffsetNibbles(offsets, perRow, 2 * half));
  writeProduct(layer, { block, bits: 4 }, { data, scales: Tensor.f32([scales.length], scales), zeros });
}

/** At 8 bits; returns the weight's SQNR, dB, undefined where nothing was lost. */
export async function writeByteProduct(layer: Layer, block: number): Promise<number | undefined> {
  const { inputs: columns, outputs } = layer.view;
  const perRow = Math.ceil(columns / block);
  const matrix = rowsOf(await finiteFloats(layer.weight, layer.name), layer.view);
  const { integers, scales } = quantizeBlocks(matrix, { columns, block, bits: 8, signed: false });
  const { signal, noise } = blockError(matrix, { integers, scales, columns, perRow, block });
  const data = Tensor.of(DataType.UINT8, [outputs, perRow, block], packOffsetBytes(integers, columns, block));
  writeProduct(layer, { block, bits: 8 }, { data, scales: Tensor.f32([scales.length], scales) });
  return noise === 0 ? undefined : 10 * Math.log10(signal / noise);
}

/** At 4 bits, rounded only as it is written. */
export function writeStreamedProduct(layer: Layer, block: number): void {
  const { inputs, outputs } = layer.view;
  const perRow = Math.ceil(inputs / block);
  const form = {
    block,
    node: layer.name,
    dataType: DataType.UINT8,
    dims: [outputs, perRow, block / 2],
    scaleType: DataType.FLOAT,
    scaleDims: [outputs * perRow],
  };
  writeProduct(layer, { block, bits: 4 }, streamedColumns(layer.weight, form));
}

function writeProduct(
  layer: Layer,
  { block, bits }: { readonly block: number; readonly bits: 4 | 8 },
  { data, scales, zeros }: StreamedNibbles & { readonly zeros?: Tensor | undefined },
): void {
  const { node, view } = layer;
  const { graph } = node;
  const { name } = node.input(layer.rule.weight);
  const inputs = [layer.input, graph.addInitializer(`${name}_q`, data), graph.addInitializer(`${name}_s`, scales)];
  if (zeros) inputs.push(graph.addInitializer(`${name}_z`, zeros));
  const result = graph.addNode(
    {
      opType: "MatMulNBits",
      domain: "com.microsoft",
      name: nodeName(node),
      inputs,
      outputs: [graph.freshName(`${node.output().name}_n`)],
      attributes: { K: view.inputs, N: view.outputs, bits, block_size: block, accuracy_level: INTEGER_PRODUCTS },
    },
    node,
  );
  takeOver(node, result.output());
}
