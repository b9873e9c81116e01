/** What nodes do with streams: map them in order, and give a frame's tensors the names a model wants. */
import { DataType, dataTypeName } from "../onnx/ir/dataType.ts";
import type { Model } from "../onnx/ir/graph.ts";
import type { HostTensor, HostTensors } from "../onnx/ir/hostTensor.ts";
import { UserError } from "./context.ts";
import type { Stream, TensorItem } from "./ports.ts";

/**
 * `map` over each item, up to `concurrency` at once; results come in the order of the source, whose `total` is kept.
 * The source is asked for no item before the result is. On failure or when the reader stops, what is under way is
 * awaited and the source is closed.
 */
export function mapStream<A, B>(
  source: Stream<A>,
  map: (item: A, index: number) => Promise<B> | B,
  concurrency = 1,
): Stream<B> {
  return withTotal(mapped(source, map, concurrency), source.total);
}

export function withTotal<T>(source: AsyncIterable<T>, total: number | undefined): Stream<T> {
  return total === undefined ? source : Object.assign(source, { total });
}

/** A list as a stream. */
export function streamOf<T>(items: readonly T[]): Stream<T> {
  const each = async function* () {
    yield* items;
  };
  return withTotal(each(), items.length);
}

/**
 * The items of two streams of the same frames, pairwise. Throws `different-frames` where their ids differ or one ends
 * before the other.
 */
export async function* lockstep<A, B>(
  first: { readonly stream: AsyncIterable<A>; readonly idOf: (item: A) => string },
  second: { readonly stream: AsyncIterable<B>; readonly idOf: (item: B) => string },
): AsyncGenerator<readonly [A, B]> {
  const others = second.stream[Symbol.asyncIterator]();
  try {
    for await (const item of first.stream) {
      const other = await others.next();
      const id = first.idOf(item);
      if (other.done) throw differentFrames(`the second ends before ${id}`);
      const otherId = second.idOf(other.value);
      if (id !== otherId) throw differentFrames(`${id} meets ${otherId}`);
      yield [item, other.value];
    }
    const rest = await others.next();
    if (!rest.done) throw differentFrames(`the first ends before ${second.idOf(rest.value)}`);
  } finally {
    await others.return?.();
  }
}

function differentFrames(detail: string): UserError {
  return new UserError(
    "different-frames",
    `The two streams are not of the same frames: ${detail}.`,
    "Feed both from one source.",
  );
}

async function* mapped<A, B>(
  source: AsyncIterable<A>,
  map: (item: A, index: number) => Promise<B> | B,
  concurrency: number,
): AsyncGenerator<B> {
  const pending: Promise<B>[] = [];
  let index = 0;
  try {
    for await (const item of source) {
      const at = index++;
      const result = (async (): Promise<B> => map(item, at))();
      // The rejection is thrown where the result is awaited, in its turn; until then it is nobody's.
      result.catch(() => undefined);
      pending.push(result);
      const first = pending.length >= concurrency ? pending.shift() : undefined;
      if (first) yield await first;
    }
    for (let first = pending.shift(); first; first = pending.shift()) yield await first;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** A model's input: a dimension that is -1, null or a symbol takes any size. */
export interface Feed {
  readonly name: string;
  readonly dataType?: number;
  readonly dims?: readonly (number | string | null)[];
}

/** The feeds of a graph, for `feedsFor`. */
export function feedsOf(model: Model): readonly Feed[] {
  return model.graph.feeds.map(({ name, type }) => ({
    name,
    ...(type ? { dataType: type.elemType } : {}),
    ...(type?.shape ? { dims: type.shape } : {}),
  }));
}

/**
 * Those of the item's tensors that the model asks for, by the names of its feeds. A preprocess's one tensor "" goes to the model's only feed.
 * Throws `many-feeds`, `missing-feed`, `wrong-shape` or `wrong-type`, each with what to set.
 */
export function feedsFor(item: TensorItem, feeds: readonly Feed[]): HostTensors {
  const tensors = renamed(item.tensors, feeds);
  const wanted: Record<string, HostTensor> = {};
  for (const feed of feeds) {
    const given = Object.hasOwn(tensors, feed.name) ? tensors[feed.name] : undefined;
    const tensor = given && inType(given, feed.dataType);
    if (!tensor) {
      throw new UserError(
        "missing-feed",
        `The model wants "${feed.name}", which the tensors of ${item.frame.id} lack.`,
        `Feed tensors named ${feeds.map((f) => `"${f.name}"`).join(", ")}.`,
      );
    }
    if (feed.dims && !fits(tensor.dims, feed.dims)) {
      throw new UserError(
        "wrong-shape",
        `The model's input "${feed.name}" is [${feed.dims.join(",")}], but the tensor is [${tensor.dims.join(",")}].`,
        item.transform
          ? "Set width, height and layout of the preprocess to the model's."
          : "Give the examples of the file the shape that the model wants.",
      );
    }
    if (feed.dataType !== undefined && feed.dataType !== tensor.dataType) {
      const type = dataTypeName(feed.dataType);
      throw new UserError(
        "wrong-type",
        `The model's input "${feed.name}" is ${type}, but the tensor is ${dataTypeName(tensor.dataType)}.`,
        item.transform ? `Set dtype of the preprocess to ${type}.` : `Give the model tensors of ${type}.`,
      );
    }
    wanted[feed.name] = tensor;
  }
  return wanted;
}

/** Whole numbers come as int64 from a file; models want them as int32 or float too, which changes nothing where they fit. */
function inType(tensor: HostTensor, wanted: number | undefined): HostTensor {
  const { data, dims, dataType } = tensor;
  if (dataType !== DataType.INT64 || !(data instanceof BigInt64Array)) return tensor;
  const numbers = (most: number) => {
    const values = Array.from(data, Number);
    return values.every((x) => Math.abs(x) <= most) ? values : undefined;
  };
  const ints = wanted === DataType.INT32 ? numbers(2 ** 31 - 1) : undefined;
  if (ints) return { dataType: DataType.INT32, dims, data: Int32Array.from(ints) };
  const floats = wanted === DataType.FLOAT ? numbers(2 ** 24) : undefined;
  return floats ? { dataType: DataType.FLOAT, dims, data: Float32Array.from(floats) } : tensor;
}

function renamed(tensors: HostTensors, feeds: readonly Feed[]): HostTensors {
  const only = tensors[""];
  if (!only) return tensors;
  const [feed] = feeds;
  if (feed && feeds.length === 1) return { [feed.name]: only };
  throw new UserError(
    "many-feeds",
    `A preprocess makes one tensor, but the model has ${feeds.length} inputs: ${feeds.map((f) => f.name).join(", ")}.`,
    "Use a model with one input.",
  );
}

function fits(dims: readonly number[], wanted: readonly (number | string | null)[]): boolean {
  return (
    dims.length === wanted.length && wanted.every((want, i) => typeof want !== "number" || want < 0 || want === dims[i])
  );
}
