/** Inputs from a stream, kept for several passes, a part of them held back so that errors are measured on others. */
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { type Feed, feedsFor } from "../streams.ts";

export interface FitItems {
  readonly fit: readonly HostTensors[];
  readonly heldBack: readonly HostTensors[];
}

/** What more items add to a refit is less than the time they take. */
const MAX_ITEMS = 40;
const MAX_BYTES = 512 * 1024 * 1024;
const HOLD_BACK_EVERY = 5;

/** Reads no more of the stream than it keeps. */
export async function collectItems(tensors: Stream<TensorItem> | undefined, feeds: readonly Feed[]): Promise<FitItems> {
  const fit: HostTensors[] = [];
  const heldBack: HostTensors[] = [];
  let bytes = 0;
  for await (const item of tensors ?? []) {
    const values = feedsFor(item, feeds);
    const count = fit.length + heldBack.length;
    (count % HOLD_BACK_EVERY === HOLD_BACK_EVERY - 1 ? heldBack : fit).push(values);
    for (const { data } of Object.values(values)) bytes += data.byteLength;
    if (count + 1 === MAX_ITEMS || bytes >= MAX_BYTES) break;
  }
  // With a handful, one is still better held back than fitted to.
  const last = heldBack.length === 0 && fit.length > 1 ? fit.pop() : undefined;
  return { fit, heldBack: last ? [last] : heldBack };
}

/** Where the stream shows nothing that varies. */
export function likenessNotes({ fit, heldBack }: FitItems): readonly string[] {
  const [first, ...others] = [...fit, ...heldBack];
  if (!first || others.length === 0 || !others.every((item) => sameTensors(item, first))) return [];
  return [
    `All ${others.length + 1} items on tensors are alike: what the model needs for other inputs does not show in them, and the error measured here says nothing of it. Wire inputs that vary.`,
  ];
}

function sameTensors(a: HostTensors, b: HostTensors): boolean {
  return Object.entries(a).every(([name, { data, dims }]) => {
    const other = b[name];
    return other?.dims.join() === dims.join() && data.every((value, i) => Object.is(value, other.data[i]));
  });
}
