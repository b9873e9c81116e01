/** Runs two models on the same inputs and tells how far the outputs of one are from the other's. */
import type { Evaluator } from "../evaluator.ts";
import type { Model } from "../ir/graph.ts";
import type { HostTensors } from "../ir/hostTensor.ts";
import { joinModels } from "./jointModel.ts";
import { OutputComparison, type OutputDifference } from "./outputComparison.ts";

/** By output name: floats by their distance, integers also by how many are not the same. */
export async function outputDifference(
  models: { readonly reference: Model; readonly candidate: Model },
  items: readonly HostTensors[],
  evaluator: Evaluator,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, OutputDifference>>> {
  const joint = await joinModels(models.reference, models.candidate);
  await using reference = await evaluator.open(joint?.model ?? models.reference);
  await using candidate = joint ? undefined : await evaluator.open(models.candidate);
  const comparison = new OutputComparison();
  for (const item of items) {
    signal?.throwIfAborted();
    const expected = await reference.run(item);
    const actual = candidate ? await candidate.run(item) : expected;
    for (const { name } of models.reference.graph.outputs) {
      const [a, b] = joint ? [joint.reference.get(name), joint.candidate.get(name)] : [name, name];
      comparison.add(name, expected[a ?? ""], actual[b ?? ""]);
    }
  }
  return comparison.differences;
}
