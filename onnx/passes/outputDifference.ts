/** Runs two models on the same inputs and tells how far the outputs of one are from the other's. */
import type { Evaluator } from "../evaluator.ts";
import { DataType } from "../ir/dataType.ts";
import type { Model } from "../ir/graph.ts";
import type { HostTensor, HostTensors } from "../ir/hostTensor.ts";
import { halfToFloat } from "../ir/tensor.ts";
import { addSignalError, type SignalError } from "../kernels/signalError.ts";
import { joinModels } from "./jointModel.ts";

export interface OutputDifference {
  /** Signal to noise of all items together, dB; absent where the outputs are equal or the reference is zero. */
  readonly sqnrDb?: number;
  /** |candidate - reference| / |reference|. */
  readonly relative: number;
  readonly maxAbs: number;
}

/** By output name; outputs of integers are compared as numbers, those of 64 bits are left out. */
export async function outputDifference(
  models: { readonly reference: Model; readonly candidate: Model },
  items: readonly HostTensors[],
  evaluator: Evaluator,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, OutputDifference>>> {
  const joint = await joinModels(models.reference, models.candidate);
  await using reference = await evaluator.open(joint?.model ?? models.reference);
  await using candidate = joint ? undefined : await evaluator.open(models.candidate);
  const sums = new Map<string, SignalError>();
  for (const item of items) {
    signal?.throwIfAborted();
    const expected = await reference.run(item);
    const actual = candidate ? await candidate.run(item) : expected;
    for (const { name } of models.reference.graph.outputs) {
      const [a, b] = [numbersOf(expected[name]), numbersOf(actual[joint?.outputs.get(name) ?? name])];
      if (!a || !b) continue;
      const into = sums.get(name) ?? { signal: 0, error: 0, maxAbs: 0 };
      sums.set(name, into);
      addSignalError(a, b, into);
    }
  }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, differenceOf(sum)]));
}

/** Undefined for 64-bit integers: what they index cannot be a little off. */
function numbersOf(tensor: HostTensor | undefined): ArrayLike<number> | undefined {
  const data = tensor?.data;
  if (!data || data instanceof BigInt64Array || data instanceof BigUint64Array) return undefined;
  return tensor.dataType === DataType.FLOAT16 ? Float32Array.from(data, halfToFloat) : data;
}

function differenceOf({ signal, error, maxAbs }: SignalError): OutputDifference {
  const sqnrDb = 10 * Math.log10(signal / error);
  return {
    ...(Number.isFinite(sqnrDb) && { sqnrDb }),
    relative: error === 0 ? 0 : Math.sqrt(error / (signal || 1)),
    maxAbs,
  };
}
