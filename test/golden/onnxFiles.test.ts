/** Every real model through our reader and writer: the same bytes, and the same outputs of ONNX Runtime to the bit. */
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneModel } from "../../onnx/cloneModel.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { type ByteSource, memorySource, type Tensor } from "../../onnx/ir/tensor.ts";
import { modelBytes, readModel, writeModel } from "../../onnx/serde.ts";
import { verifyModel } from "../../onnx/verify.ts";
import { openOrtSession } from "../../server/runners/ort.ts";
import { seededInputs } from "../../server/runners/seededInputs.ts";
import { dataPath, testData } from "../support/data.ts";

const MODELS = ["fastestdet.onnx", "yolox-nano.onnx", "rfb-320.onnx", "minilm-l6.onnx"];
const LARGE_BYTES = 16 * 1024;

async function outputs(model: string | Uint8Array): Promise<HostTensors> {
  await using session = await openOrtSession(model);
  const fixed = session.inputs.map((info) => ({ ...info, dims: info.dims.map((dim) => (dim < 0 ? 8 : dim)) }));
  return await session.run(seededInputs(fixed));
}

async function counted(path: string): Promise<{ source: ByteSource; read: () => number; close: () => Promise<void> }> {
  const file = await open(path);
  let bytesRead = 0;
  const read = async (offset: number, length: number) => {
    bytesRead += length;
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, offset);
    return bytes;
  };
  const { size } = await file.stat();
  return { source: { size, read }, read: () => bytesRead, close: () => file.close() };
}

describe.skipIf(!testData)("real models (needs EDGEWRIGHT_TEST_DATA)", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edgewright-onnx-"));
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  it.each(MODELS)("%s comes back byte for byte, a clone of it too", async (name) => {
    const bytes = await readFile(dataPath("models", name));
    const model = await readModel(memorySource(new Uint8Array(bytes)));
    expect(verifyModel(model)).toEqual([]);
    expect(bytes.equals(await modelBytes(model))).toBe(true);
    expect(bytes.equals(await modelBytes(cloneModel(model)))).toBe(true);
  });

  it("reads the structure only", async () => {
    const { source, read, close } = await counted(dataPath("models", "minilm-l6.onnx"));
    await readModel(source);
    await close();
    expect(source.size).toBeGreaterThan(90e6);
    expect(read()).toBeLessThan(1e6);
  });

  it.each(MODELS)("%s with its weights in a file of their own gives the same outputs to the bit", async (name) => {
    const path = dataPath("models", name);
    const model = await readModel(memorySource(new Uint8Array(await readFile(path))));
    const data: Buffer[] = [];
    const places = new Map<Tensor, { location: string; offset: number; length: number }>();
    for (const { initializer } of model.graph.initializers) {
      if (!initializer || initializer.byteLength < LARGE_BYTES || places.has(initializer)) continue;
      const offset = data.reduce((sum, part) => sum + part.length, 0);
      data.push(Buffer.from(await initializer.bytes()));
      places.set(initializer, { location: `${name}.data`, offset, length: initializer.byteLength });
    }
    const structure: Uint8Array[] = [];
    for await (const chunk of writeModel(model, { placeExternal: (tensor) => places.get(tensor) }))
      structure.push(chunk);
    await writeFile(join(folder, name), Buffer.concat(structure));
    await writeFile(join(folder, `${name}.data`), Buffer.concat(data));

    const outside = await readModel(memorySource(new Uint8Array(await readFile(join(folder, name)))), {
      openExternal: async (location) => memorySource(new Uint8Array(await readFile(join(folder, location)))),
    });
    const expected = await outputs(path);
    expect(await outputs(join(folder, name))).toEqual(expected);
    expect(await outputs(await modelBytes(outside))).toEqual(expected);
  });
});
