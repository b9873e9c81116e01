/**
 * How much each layer alone costs, measured: only that layer is quantized, and the model's outputs are compared. Done for
 * the layers that are predicted to cost most; the others are left to the prediction.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { quantizableLayers } from "./layers.ts";
import { type LayoutName, layoutOf } from "./layout.ts";
import { measureSqnr } from "./measureSqnr.ts";
import { QDQ_OPSET } from "./quantize.ts";
import { designInt8, writeInt8 } from "./staticInt8.ts";

export interface SensitivityOptions {
  /** A fresh copy of the prepared float model. */
  readonly open: () => Promise<Model>;
  readonly layout: LayoutName;
  readonly table: CalibrationTable;
  readonly frames: readonly HostTensors[];
  /** Layers to measure, worst predicted first. */
  readonly most: number;
}

/** SQNR of the model's worst output by layer name, dB. */
export async function measureSensitivity(
  { open, layout: name, table, frames, most }: SensitivityOptions,
  ctx: { evaluator: Evaluator; signal?: AbortSignal; progress?: (done: number, total: number) => void },
): Promise<ReadonlyMap<string, number>> {
  const layout = layoutOf(name);
  const float = await open();
  const { layers } = quantizableLayers(float.graph);
  const design = await designInt8(float.graph, layers, table, layout);
  const suspects = design.layers
    .flatMap(({ layer, predictedSqnrDb }) => (predictedSqnrDb === undefined ? [] : [{ layer, predictedSqnrDb }]))
    .sort((a, b) => a.predictedSqnrDb - b.predictedSqnrDb)
    .slice(0, most);
  const measured = new Map<string, number>();
  for (const [i, { layer }] of suspects.entries()) {
    ctx.progress?.(i, suspects.length);
    const alone = await open();
    upgradeOpset(alone, QDQ_OPSET);
    const chosen = quantizableLayers(alone.graph).layers.filter((other) => other.name === layer.name);
    writeInt8(alone.graph, await designInt8(alone.graph, chosen, table, layout), layout);
    const outputs = float.graph.outputs.map((output) => output.name);
    const sqnr = await measureSqnr({ float, quantized: alone }, outputs, frames, ctx);
    measured.set(layer.name, Math.min(...outputs.map((output) => sqnr.get(output) ?? Number.POSITIVE_INFINITY)));
  }
  return measured;
}
