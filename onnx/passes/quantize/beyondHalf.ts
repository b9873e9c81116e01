/**
 * Which tensors leave the half range: every float activation is looked at on some frames, those between the layers too (a
 * square in a normalisation overflows where no layer's input does). The model runs in pieces, so that few are in memory.
 */
import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { largestMagnitude } from "../../kernels/largestMagnitude.ts";
import { PiecewiseRun } from "../calibrate/piecewiseRun.ts";
import type { MeasuringContext } from "./outputReference.ts";

export const LARGEST_HALF = 65504;

/** Names of values that were beyond it, or not finite, on one of the frames at least. */
export async function beyondHalf(
  model: Model,
  frames: readonly HostTensors[],
  { evaluator, signal }: Pick<MeasuringContext, "evaluator" | "signal">,
): Promise<ReadonlySet<string>> {
  inferShapes(model);
  const written = model.graph.nodes.flatMap(({ outputs }) => outputs.flatMap((value) => value ?? []));
  const floats = written.filter(({ type, constant }) => type?.elemType === DataType.FLOAT && !constant);
  const found = new Set<string>();
  await using run = await PiecewiseRun.open(
    model,
    floats.map(({ name }) => name),
    { evaluator },
  );
  for (const feeds of frames) {
    signal?.throwIfAborted();
    await run.run(feeds, (tensors) => {
      for (const [name, { data }] of Object.entries(tensors)) {
        if (data instanceof Float32Array && largestMagnitude(data) > LARGEST_HALF) found.add(name);
      }
    });
  }
  return found;
}
