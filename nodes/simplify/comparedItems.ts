/** What the simplified model is compared on: the first items of a stream, or one made from a seed. */
import { packedByteLength } from "../../onnx/ir/dataType.ts";
import type { Model, Value } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { elementCount } from "../../onnx/ir/tensor.ts";
import { mulberry32, seededTensor } from "../../onnx/seededTensor.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";

/** Enough to see a wrong rewrite; the streams behind may be long. */
const COMPARED_ITEMS = 4;
const MAX_INPUT_BYTES = 2 ** 28;
/** Sizes for dimensions that the model leaves open: those of a picture, and of everything else behind the batch. */
const OPEN_SIDE = 64;
const OPEN_LENGTH = 16;

export async function firstItems(tensors: Stream<TensorItem>, model: Model): Promise<HostTensors[]> {
  const items: HostTensors[] = [];
  for await (const item of tensors) {
    items.push(feedsFor(item, feedsOf(model)));
    if (items.length === COMPARED_ITEMS) break;
  }
  return items;
}

/** One item for the model's inputs; none where the type of one is unknown, or has no numbers, or would be huge. */
export function seededItems({ graph }: Model): HostTensors[] {
  const random = mulberry32(1);
  const sizes = new Map<string, number>();
  const feeds: Record<string, HostTensors[string]> = {};
  for (const value of graph.feeds) {
    const dims = dimsOf(value, sizes);
    const elemType = value.type?.elemType;
    const bytes = dims && elemType !== undefined ? packedByteLength(elemType, elementCount(dims)) : undefined;
    if (!dims || elemType === undefined || bytes === undefined || bytes > MAX_INPUT_BYTES) return [];
    feeds[value.name] = seededTensor(elemType, dims, random);
  }
  return [feeds];
}

/** One symbol is one size, in whichever input it stands. */
function dimsOf({ type }: Value, sizes: Map<string, number>): readonly number[] | undefined {
  const rank = type?.shape?.length ?? 0;
  return type?.shape?.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    const guess = axis === 0 ? 1 : rank === 4 ? OPEN_SIDE : OPEN_LENGTH;
    if (typeof dim !== "string") return guess;
    const size = sizes.get(dim) ?? guess;
    sizes.set(dim, size);
    return size;
  });
}
