/**
 * How far a changed model's outputs are from the original's on a few items. An error counts relative to how much the
 * output varies from item to item, since what never changes (the score of the background) says nothing.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { addChannelErrors, channelVariation, relativeError } from "../../kernels/channelErrors.ts";
import { addVariation, newVariation } from "../../kernels/variation.ts";
import { extract } from "./extract.ts";

/** More items order the parts of a model no better. */
export const TRIAL_ITEMS = 3;

interface Reference {
  /** By item. */
  readonly expected: readonly HostTensors[];
  /** By output name and channel: sum of squares of the deviation from the mean over the items. */
  readonly variation: ReadonlyMap<string, Float64Array>;
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
    const variation = new Map<string, Float64Array>();
    for (const { name } of model.graph.outputs) {
      const data = expected.flatMap((values) => values[name]?.data ?? []).filter((x) => x instanceof Float32Array);
      const moments = newVariation(data[0]?.length ?? 0);
      for (const x of data) if (x.length === moments.sum.length) addVariation(moments, x);
      const dims = expected[0]?.[name]?.dims ?? [];
      if (data.length > 0 && moments.sum.length > 0) variation.set(name, channelVariation(moments, dims));
    }
    return new OutputLoss(model, items, evaluator, { expected, variation });
  }

  /** Of the original, to change. */
  copy(): Model {
    return copyOf(this.model);
  }

  /** Mean over the outputs of the share of what they vary that is lost. */
  async of(changed: Model): Promise<number> {
    await using session = await this.evaluator.open(changed);
    const { expected, variation } = this.reference;
    const errors = new Map([...variation].map(([name, channels]) => [name, new Float64Array(channels.length)]));
    for (const [i, item] of this.items.entries()) {
      for (const [name, { data, dims }] of Object.entries(await session.run(item))) {
        const [wanted, into] = [expected[i]?.[name]?.data, errors.get(name)];
        if (wanted instanceof Float32Array && data instanceof Float32Array && into)
          addChannelErrors(wanted, data, dims, into);
      }
    }
    const shares = [...errors].map(([name, error]) => relativeError(error, variation.get(name) ?? error));
    return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  }
}

function copyOf(model: Model): Model {
  return extract(
    model,
    model.graph.outputs.map((value) => value.name),
  );
}
