/** What quantization did to each layer, measured: both models run on the same inputs, layer outputs compared. */
import type { Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensor, HostTensors } from "../../ir/hostTensor.ts";
import { halfToFloat } from "../../ir/tensor.ts";
import { addSquaredError } from "../../kernels/squaredError.ts";

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
  const sums = new Map<string, { signal: number; noise: number }>();
  for (const feeds of frames) {
    ctx.signal?.throwIfAborted();
    const expected = await float.run(feeds);
    const got = await quantized.run(feeds);
    for (const [name, tensor] of Object.entries(expected)) {
      const [a, b] = [floatsOf(tensor), got[name] && floatsOf(got[name])];
      if (!a || !b || a.length !== b.length) continue;
      const sum = sums.get(name) ?? { signal: 0, noise: 0 };
      addSquaredError(a, b, sum);
      sums.set(name, sum);
    }
  }
  const sqnr = new Map<string, number>();
  for (const [name, { signal, noise }] of sums) {
    if (noise > 0) sqnr.set(name, 10 * Math.log10(signal / noise));
  }
  return sqnr;
}

/** Undefined for integers: there is no noise to speak of. */
function floatsOf({ dataType, data }: HostTensor): Float32Array | undefined {
  if (data instanceof Float32Array) return data;
  const half = dataType === DataType.FLOAT16 && data instanceof Uint16Array;
  return half ? Float32Array.from(data, halfToFloat) : undefined;
}
