/**
 * 4 and 8 bits mixed under a size: all layers take 4 first, then those take 8 that lose most by it for the bytes they need.
 * What a layer loses is measured at the model's outputs where there are frames: the noise that goes when it alone takes 8.
 * Without them it is the noise over signal of its weights. The sum over layers is made least, as a knapsack.
 */
import type { Model } from "../../ir/graph.ts";
import { chooseWithin, type Offer } from "../../kernels/knapsack.ts";
import { writeModel } from "../../serde.ts";
import { embeddingsOf } from "./embeddings.ts";
import { nodeName, quantizableLayers } from "./layers.ts";
import { type QuantizeOptions, quantize } from "./quantize.ts";
import { QuantizeError } from "./quantizeError.ts";

/** 8 bits instead of 4. */
const BYTES_PER_WEIGHT = 0.5;

export interface Budget {
  readonly maxBytes: number;
  /** Noise over signal of the outputs with these layers at 8 bits; absent where no frames are at hand. */
  readonly noise?: ((spared: ReadonlySet<string>) => Promise<number>) | undefined;
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Names of the layers and tables that are to take 8 bits, so that the file holds at most `maxBytes`. `open` gives a fresh
 * copy of the prepared float model. Throws `QuantizeError` where 4 bits everywhere are too many, or nothing tells layers apart.
 */
export async function withinBudget(
  open: () => Promise<Model>,
  options: QuantizeOptions,
  { maxBytes, noise, progress }: Budget,
): Promise<ReadonlySet<string>> {
  const model = await open();
  const sizes = weightCounts(model, options.keepFloat);
  const { layers } = await quantize(model, { ...options, spared: new Set(), minSqnrDb: 0 });
  const bytes = await fileBytes(model);
  if (bytes > maxBytes) {
    throw new QuantizeError(
      "over-budget",
      `at 4 bits the model takes ${megabytes(bytes)} MB, above maxMb ${megabytes(maxBytes)}`,
      "Raise maxMb, take a larger blockSize, or take names out of keepFloat.",
    );
  }
  const coarse = layers.filter(({ bits }) => bits === 4);
  const none = await noise?.(new Set());
  const offers: Offer[] = [];
  for (const [i, { node, ownSqnrDb }] of coarse.entries()) {
    if (noise) progress?.(i, coarse.length);
    const own = ownSqnrDb === undefined ? 0 : 10 ** (-ownSqnrDb / 10);
    const gain = noise && none !== undefined ? none - (await noise(new Set([node]))) : own;
    offers.push({ gain, cost: (sizes.get(node) ?? 0) * BYTES_PER_WEIGHT });
  }
  if (!noise && coarse.length > 0 && offers.every(({ gain }) => gain === 0)) {
    throw new QuantizeError(
      "budget-streamed",
      "a model of this size is rounded as it is written: no layer's error is known to choose by",
      "Wire tensors in, or set maxMb to 0.",
    );
  }
  const chosen = chooseWithin(offers, maxBytes - bytes);
  return new Set(coarse.flatMap(({ node }, i) => (chosen.has(i) ? [node] : [])));
}

function weightCounts(model: Model, keepFloat: readonly string[]): ReadonlyMap<string, number> {
  const layers = quantizableLayers(model.graph).layers.map(({ name, weight }) => [name, weight.size] as const);
  const tables = embeddingsOf(model, keepFloat).map(({ node, table }) => [nodeName(node), table.size] as const);
  return new Map([...layers, ...tables]);
}

/** Of the structure and of all tensors, none of which is read for it. */
async function fileBytes(model: Model): Promise<number> {
  let bytes = 0;
  const chunks = writeModel(model, {
    placeExternal({ byteLength }) {
      bytes += byteLength;
      return { location: "weights", offset: 0, length: byteLength };
    },
  });
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
