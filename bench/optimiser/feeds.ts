/** Inputs of a model as files that NumPy reads: a folder of .npy and an index.json, see ../peers/feeds.py. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeRgb } from "../../nodes/images.ts";
import { loadTensors } from "../../nodes/load-tensors/schema.ts";
import { isApart } from "../../nodes/load-tensors/setApart.ts";
import { createPreprocessor } from "../../nodes/preprocess/pictureToTensor.ts";
import { preprocessParams } from "../../nodes/preprocess/schema.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { mulberry32, seededTensor } from "../../onnx/seededTensor.ts";

const DESCR: Readonly<Record<number, string>> = { [DataType.FLOAT]: "<f4", [DataType.INT64]: "<i8" };

/** NumPy's format 1.0: magic, header length, a Python dict padded to 64 bytes, the raw data. */
function npy({ dataType, dims, data }: HostTensor): Uint8Array {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(", ")})`;
  const dict = `{'descr': '${DESCR[dataType]}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, " ");
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(length, 8);
  head.write(dict, 10, "latin1");
  head[10 + length - 1] = 10;
  return Buffer.concat([head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

export async function writeFeeds(folder: string, items: AsyncIterable<HostTensors> | Iterable<HostTensors>) {
  await mkdir(folder, { recursive: true });
  const index: Record<string, string>[] = [];
  for await (const item of items) {
    const files: Record<string, string> = {};
    for (const [at, [name, tensor]] of Object.entries(item).entries()) {
      const file = `${index.length}-${at}.npy`;
      await writeFile(join(folder, file), npy(tensor));
      files[name] = file;
    }
    index.push(files);
  }
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
}

/** The first pictures of a folder by name, as the product's own preprocessing makes them. */
export async function* pictures(
  folder: string,
  { input, settings, limit }: { input: string; settings: Readonly<Record<string, unknown>>; limit: number },
): AsyncGenerator<HostTensors> {
  const preprocess = createPreprocessor(preprocessParams.parse(settings));
  const files = (await readdir(folder)).filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  for (const file of files.slice(0, limit)) {
    yield { [input]: preprocess(await decodeRgb(await readFile(join(folder, file)))).tensor };
  }
}

/**
 * One JSON object with `input_ids` a line, as an encoder of the BERT family wants it, without the lines that the product
 * sets apart for calibration; `length` repeats ids to a size.
 */
export async function* sentences(file: string, limit: number, length?: number): AsyncGenerator<HostTensors> {
  const all = (await readFile(file, "utf8")).split("\n").filter(Boolean);
  const { setApart } = loadTensors.params.parse({});
  const lines = all.filter((_, i) => !isApart(i, Math.min(setApart, Math.floor(all.length / 2)), all.length));
  for (const line of lines.slice(0, limit)) {
    const { input_ids: ids }: { input_ids: number[] } = JSON.parse(line);
    const size = length ?? ids.length;
    const row = (fill: (i: number) => number): HostTensor => ({
      dataType: DataType.INT64,
      dims: [1, size],
      data: BigInt64Array.from({ length: size }, (_, i) => BigInt(fill(i))),
    });
    yield {
      input_ids: row((i) => ids[i % ids.length] ?? 0),
      attention_mask: row(() => 1),
      token_type_ids: row(() => 0),
    };
  }
}

/** Made-up pictures, for models without weights that mean something. */
export function* noise(inputs: Readonly<Record<string, readonly number[]>>, limit: number): Generator<HostTensors> {
  const random = mulberry32(1);
  for (let i = 0; i < limit; i++) {
    yield Object.fromEntries(
      Object.entries(inputs).map(([name, dims]) => [name, seededTensor(DataType.FLOAT, dims, random)]),
    );
  }
}
