/** What quantization did to each layer, measured: both models run on the same inputs, layer outputs compared. */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { SqnrByName } from "./sqnrByName.ts";

/** SQNR by tensor name, dB; absent where the two were equal. Errors of earlier layers are in later ones. */
export async function measureSqnr(
  models: { readonly float: Model; readonly quantized: Model },
  names: readonly string[],
  frames: readonly HostTensors[],
  ctx: { readonly evaluator: Evaluator; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<string, number>> {
  const present = names.filter(
    (name) => models.float.graph.values.has(name) && models.quantized.graph.values.has(name),
  );
  await using float = await ctx.evaluator.open(models.float, { alsoReturn: present });
  await using quantized = await ctx.evaluator.open(models.quantized, { alsoReturn: present });
  const sums = new SqnrByName();
  for (const feeds of frames) {
    ctx.signal?.throwIfAborted();
    sums.add(await float.run(feeds), await quantized.run(feeds));
  }
  return sums.result();
}
