/** One try of a quantized form, and what its outputs keep on frames that it was not fitted to. */
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import type { OutputReference } from "./outputReference.ts";
import { type QuantizeOptions, type QuantizeResult, quantize } from "./quantize.ts";
import { simulateBfloat16 } from "./simulateBfloat16.ts";

export interface Evidence {
  /** A fresh copy of the prepared float model. */
  readonly open: () => Promise<Model>;
  /** What decides: the float model's outputs. */
  readonly reference: OutputReference;
  /** Frames that tries may learn from; with one frame alone these are those that decide. */
  readonly fitting: readonly HostTensors[];
}

export interface Try {
  readonly model: Model;
  readonly result: QuantizeResult;
  readonly meanDb: number;
  readonly worstDb: number;
}

/** Given up early where it cannot come above `toBeat`, dB: its figures are then of the hardest frames. */
export async function attempt(options: QuantizeOptions, evidence: Evidence, toBeat?: number): Promise<Try> {
  const one = await made(options, evidence);
  const runs = await simulateBfloat16(one.model);
  return { ...one, ...(await evidence.reference.measure(runs, toBeat === undefined ? {} : { toBeat })) };
}

/** Quantized, and not measured. */
export async function made(
  options: QuantizeOptions,
  { open }: Pick<Evidence, "open">,
): Promise<Pick<Try, "model" | "result">> {
  const model = await open();
  return { model, result: await quantize(model, options) };
}
