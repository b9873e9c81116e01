/**
 * Kept streams as files. Detections are NDJSON, one line a frame. Tensors are binary: the magic line, then for each item
 * a little-endian u32 length, that much JSON (frame, transform, and name, type, dims and bytes of each tensor), and the
 * tensors' bytes in that order; at the very end the number of items as a little-endian u32.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Artifacts } from "../../nodes/context.ts";
import type { ArtifactRef, DetectionItem, PortKind, Stream, TensorItem } from "../../nodes/ports.ts";
import { type HostTensor, typedArrayOf } from "../../onnx/ir/hostTensor.ts";

const MAGIC = "EDGEWRIGHT TENSORS 1\n";

class OverBudget extends Error {}

/** Writes a stream to the store as it passes; undefined where its tensors are more than `budget` bytes. */
export async function keepStream(options: {
  readonly kind: PortKind;
  readonly stream: Stream<unknown>;
  readonly artifacts: Artifacts;
  readonly budget: number;
}): Promise<ArtifactRef | undefined> {
  const { kind, stream, artifacts, budget } = options;
  try {
    const chunks = kind === "detections" ? encodeDetections(stream) : encodeTensors(stream, budget);
    return { kind, ...(await artifacts.putStream(chunks)) };
  } catch (error) {
    if (error instanceof OverBudget) return undefined;
    throw error;
  }
}

/** The stream that `keepStream` wrote. */
export async function readKept(ref: ArtifactRef, artifacts: Artifacts): Promise<Stream<unknown>> {
  const path = await artifacts.filePath(ref);
  return ref.kind === "detections" ? readDetections(path) : readTensors(path);
}

async function* encodeTensors(stream: AsyncIterable<unknown>, budget: number): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(MAGIC);
  let count = 0;
  let bytes = 0;
  for await (const item of stream) {
    if (!isTensorItem(item)) throw new TypeError("a stream of tensors gave something else");
    const { frame, transform, tensors } = item;
    const entries = Object.entries(tensors);
    const meta = {
      // A frame's own picture is not kept with its tensors.
      frame: { id: frame.id, index: frame.index, width: frame.width, height: frame.height },
      transform,
      tensors: entries.map(([name, { dataType, dims, data }]) => ({ name, dataType, dims, bytes: data.byteLength })),
    };
    const json = new TextEncoder().encode(JSON.stringify(meta));
    bytes += json.byteLength + entries.reduce((sum, [, tensor]) => sum + tensor.data.byteLength, 0);
    if (bytes > budget) throw new OverBudget();
    yield u32(json.byteLength);
    yield json;
    for (const [, { data }] of entries) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    count++;
  }
  yield u32(count);
}

async function* encodeDetections(stream: AsyncIterable<unknown>): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const item of stream) yield encoder.encode(`${JSON.stringify(item)}\n`);
}

function isTensorItem(item: unknown): item is TensorItem {
  return typeof item === "object" && item !== null && "frame" in item && "tensors" in item;
}

async function readTensors(path: string): Promise<Stream<TensorItem>> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(4);
    await file.read(tail, 0, 4, size - 4);
    return Object.assign(decodeTensors(path), { total: tail.readUInt32LE(0) });
  } finally {
    await file.close();
  }
}

async function* decodeTensors(path: string): AsyncGenerator<TensorItem> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let at = MAGIC.length;
    const take = async (length: number) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, at);
      if (bytesRead !== length) throw new RangeError("the kept tensors end early");
      at += length;
      return bytes;
    };
    while (at < size - 4) {
      const length = new DataView((await take(4)).buffer).getUint32(0, true);
      const meta: TensorMeta = JSON.parse(new TextDecoder().decode(await take(length)));
      const tensors: Record<string, HostTensor> = {};
      for (const { name, dataType, dims, bytes } of meta.tensors) {
        tensors[name] = { dataType, dims, data: typedArrayOf(dataType, await take(bytes)) };
      }
      yield { frame: meta.frame, ...(meta.transform && { transform: meta.transform }), tensors };
    }
  } finally {
    await file.close();
  }
}

interface TensorMeta {
  readonly frame: TensorItem["frame"];
  readonly transform?: TensorItem["transform"];
  readonly tensors: readonly {
    readonly name: string;
    readonly dataType: number;
    readonly dims: readonly number[];
    readonly bytes: number;
  }[];
}

async function readDetections(path: string): Promise<Stream<DetectionItem>> {
  let total = 0;
  for await (const chunk of createReadStream(path)) {
    for (const byte of chunk) if (byte === 10) total++;
  }
  return Object.assign(decodeDetections(path), { total });
}

async function* decodeDetections(path: string): AsyncGenerator<DetectionItem> {
  const file = await open(path);
  try {
    for await (const line of file.readLines()) {
      const item: DetectionItem = JSON.parse(line);
      yield item;
    }
  } finally {
    await file.close();
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
