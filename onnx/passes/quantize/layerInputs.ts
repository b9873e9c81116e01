/**
 * What layers multiply, as rows of samples: for quantizers that go by more than a range. Each visit runs the float model
 * again, so that no more than the tensors asked for are held at a time.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";

/** Rows of one tensor that are looked at over all frames: moments settle long before. */
const MOST_ROWS = 4096;

export interface LayerInputs {
  /** Calls `see` with rows [.., columns] of each named tensor, frame by frame; tensors that are no f32 are passed over. */
  each(names: readonly string[], see: (name: string, rows: Float32Array, columns: number) => void): Promise<void>;
}

export function layerInputs(
  model: Model,
  frames: readonly HostTensors[],
  ctx: { readonly evaluator: Evaluator; readonly signal?: AbortSignal },
): LayerInputs {
  return {
    async each(names, see) {
      const inputs = new Set(model.graph.feeds.map(({ name }) => name));
      const alsoReturn = [...new Set(names)].filter((name) => !inputs.has(name));
      await using session = await ctx.evaluator.open(model, { alsoReturn });
      for (const feeds of frames) {
        ctx.signal?.throwIfAborted();
        const seen = { ...feeds, ...(await session.run(feeds)) };
        for (const name of names) {
          const { data, dims } = seen[name] ?? {};
          const columns = dims?.at(-1);
          if (data instanceof Float32Array && columns) {
            see(name, spreadRows(data, columns, Math.ceil(MOST_ROWS / frames.length)), columns);
          }
        }
      }
    },
  };
}

/** At most so many rows, spread over all. */
function spreadRows(data: Float32Array, columns: number, most: number): Float32Array {
  const rows = data.length / columns;
  if (rows <= most) return data;
  const some = new Float32Array(most * columns);
  for (let i = 0; i < most; i++) {
    const from = Math.floor((i * rows) / most) * columns;
    some.set(data.subarray(from, from + columns), i * columns);
  }
  return some;
}
