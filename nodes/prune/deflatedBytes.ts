import { Readable } from "node:stream";
import { createDeflate } from "node:zlib";
import type { Model } from "../../onnx/ir/graph.ts";
import { writeModel } from "../../onnx/serde.ts";

/** Size of the model's file after deflate (RFC 1951, level 6), streamed. */
export async function deflatedBytes(model: Model): Promise<number> {
  let bytes = 0;
  for await (const chunk of Readable.from(writeModel(model)).pipe(createDeflate())) bytes += chunk.length;
  return bytes;
}
