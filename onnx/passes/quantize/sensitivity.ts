/**
 * How much each layer alone costs, measured: only that layer is quantized, and the model's outputs are compared. Done for
 * the layers that are predicted to cost most; the others are left to the prediction.
 */
import type { Model } from "../../ir/graph.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { keepFloatReaders } from "./floatReaders.ts";
import { quantizableLayers } from "./layers.ts";
import { type LayoutName, layoutOf } from "./layout.ts";
import type { MeasuringContext, OutputReference } from "./outputReference.ts";
import { QDQ_OPSET } from "./quantize.ts";
import { designInt8, writeInt8 } from "./staticInt8.ts";

export interface SensitivityOptions {
  /** A fresh copy of the prepared float model. */
  readonly open: () => Promise<Model>;
  readonly layout: LayoutName;
  readonly table: CalibrationTable;
  readonly reference: OutputReference;
  /** Layers to measure, the worst predicted ones, by name. */
  readonly suspects: readonly string[];
  /** Below it a layer is out of the question: how far below needs no more frames. */
  readonly floorDb: number;
}

/** Frames on which one layer is judged. */
const FRAMES = 4;

/** SQNR of the model's worst output by layer name, dB. */
export async function measureSensitivity(
  { open, layout: name, table, reference, suspects, floorDb }: SensitivityOptions,
  ctx: Pick<MeasuringContext, "progress">,
): Promise<ReadonlyMap<string, number>> {
  const layout = layoutOf(name);
  const measured = new Map<string, number>();
  for (const [i, suspect] of suspects.entries()) {
    ctx.progress?.(i, suspects.length, "measuring layers");
    const alone = await open();
    upgradeOpset(alone, QDQ_OPSET);
    const { layers } = quantizableLayers(alone.graph);
    const [chosen, others] = [layers.filter((l) => l.name === suspect), layers.filter((l) => l.name !== suspect)];
    writeInt8(alone.graph, await designInt8(alone.graph, chosen, { table, layout }), layout);
    if (layout.roundsFloatWeights) await keepFloatReaders(alone.graph, others);
    measured.set(suspect, (await reference.measure(alone, { most: FRAMES, toBeat: floorDb })).worstDb);
  }
  return measured;
}
