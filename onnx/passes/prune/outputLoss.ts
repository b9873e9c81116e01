/**
 * How far a changed model's outputs are from the original's on a few items. An output's error counts relative to how much
 * the output varies from item to item, since what never changes (the score of the background) says nothing.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { addSignalError } from "../../kernels/signalError.ts";
import { addVariation, newVariation, variationEnergy } from "../../kernels/variation.ts";
import { extract } from "./extract.ts";

/** More items order the parts of a model no better. */
export const TRIAL_ITEMS = 3;

interface Reference {
  /** By item. */
  readonly expected: readonly HostTensors[];
  /** By output name: sum of squares of its deviation from its mean over the items. */
  readonly variation: ReadonlyMap<string, number>;
}

export class OutputLoss {
  private constructor(
    readonly model: Model,
    readonly items: readonly HostTensors[],
    readonly evaluator: Evaluator,
    readonly reference: Reference,
  ) {}

  static async of(model: Model, items: readonly HostTensors[], evaluator: Evaluator): Promise<OutputLoss> {
    await using session = await evaluator.open(copyOf(model));
    const expected: HostTensors[] = [];
    for (const item of items) expected.push(await session.run(item));
    const variation = new Map<string, number>();
    for (const { name } of model.graph.outputs) {
      const data = expected.flatMap((values) => values[name]?.data ?? []).filter((x) => x instanceof Float32Array);
      const moments = newVariation(data[0]?.length ?? 0);
      for (const x of data) if (x.length === moments.sum.length) addVariation(moments, x);
      variation.set(name, variationEnergy(moments));
    }
    return new OutputLoss(model, items, evaluator, { expected, variation });
  }

  /** Of the original, to change. */
  copy(): Model {
    return copyOf(this.model);
  }

  /** Mean over the outputs of |error|^2 / variation. */
  async of(changed: Model): Promise<number> {
    await using session = await this.evaluator.open(changed);
    const errors = new Map<string, { signal: number; error: number; maxAbs: number }>();
    for (const [i, item] of this.items.entries()) {
      for (const [name, { data }] of Object.entries(await session.run(item))) {
        const expected = this.reference.expected[i]?.[name]?.data;
        if (!(expected instanceof Float32Array) || !(data instanceof Float32Array)) continue;
        const into = errors.get(name) ?? { signal: 0, error: 0, maxAbs: 0 };
        errors.set(name, into);
        addSignalError(expected, data, into);
      }
    }
    const shares = [...errors].map(
      ([name, { error, signal }]) => error / (this.reference.variation.get(name) || signal || 1),
    );
    return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  }
}

function copyOf(model: Model): Model {
  return extract(
    model,
    model.graph.outputs.map((value) => value.name),
  );
}
