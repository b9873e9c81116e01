import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openOrtSession, ortRuntime, parseTrace, withoutPlaces } from "./ort.ts";
import { seededInputs } from "./seededInputs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewright-ort-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("openOrtSession", () => {
  it("names its version", () => expect(ortRuntime).toMatch(/^onnxruntime \d+\.\d+\.\d+ cpu$/));

  it("says in the runtime's words why bytes are no model", async () => {
    await expect(openOrtSession(new TextEncoder().encode("not a model"))).rejects.toMatchObject({
      code: "runtime-refused",
      fix: expect.stringContaining("ONNX"),
    });
  });
});

it("tells a trace that the disk cut short from a fault of ours", () => {
  expect(() => parseTrace('[{"cat": "Node"')).toThrow(expect.objectContaining({ code: "disk-full" }));
});

it.each([
  [
    "Load model from /home/a/m.onnx failed:/src/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const PathString&) Unsupported model IR version: 99",
    "Unsupported model IR version: 99",
  ],
  [
    "Non-zero status code. Name:'/a/b.c' Status Message: /src/core/math/ops.h:560 void Init(ptrdiff_t, ptrdiff_t) axis == 1 was false (2 by 3)",
    "Non-zero status code. Name:'/a/b.c' Status Message: axis == 1 was false (2 by 3)",
  ],
])("keeps the runtime's words and drops its places", (said, shown) => expect(withoutPlaces(said)).toBe(shown));

describe.skipIf(!testData)("openOrtSession on real models (needs EDGEWRIGHT_TEST_DATA)", () => {
  const path = () => dataPath("models", "fastestdet.onnx");

  it("gives the same numbers from a path and from bytes", async () => {
    const fromPath = await openOrtSession(path());
    const fromBytes = await openOrtSession(readFileSync(path()));
    const feeds = seededInputs(fromPath.inputs);
    const [a, b] = [await fromPath.run(feeds), await fromBytes.run(feeds)];
    expect(fromPath.inputs).toEqual([{ name: "input.1", dataType: DataType.FLOAT, dims: [1, 3, 352, 352] }]);
    expect(a["758"]?.dims).toEqual([1, 85, 22, 22]);
    expect(a["758"]?.data).toEqual(b["758"]?.data);
    expect(a["758"]?.data.some((x) => x !== 0)).toBe(true);
    await fromPath[Symbol.asyncDispose]();
    await fromBytes[Symbol.asyncDispose]();
  });

  it("refuses a feed of another name, type or shape before the runtime sees it", async () => {
    const session = await openOrtSession(path());
    const good = { dataType: DataType.FLOAT, dims: [1, 3, 352, 352], data: new Float32Array(3 * 352 * 352) };
    await expect(session.run({ image: good })).rejects.toMatchObject({ code: "unknown-input" });
    await expect(session.run({})).rejects.toMatchObject({ code: "missing-input" });
    await expect(session.run({ "input.1": { ...good, dims: [3, 352, 352] } })).rejects.toThrow(
      "takes f32 [1,3,352,352], but f32 [3,352,352] came",
    );
    await expect(
      session.run({ "input.1": { ...good, dataType: DataType.UINT8, data: new Uint8Array(good.data.length) } }),
    ).rejects.toMatchObject({ code: "input-mismatch" });
    await expect(session.run({ "input.1": { ...good, data: new Float32Array(7) } })).rejects.toThrow("7 elements");
    await session[Symbol.asyncDispose]();
  });

  it("traces every operator of every run and leaves no file", async () => {
    const session = await openOrtSession(path(), { tracePrefix: join(folder, "trace") });
    const feeds = seededInputs(session.inputs);
    await session.run(feeds);
    await session.run(feeds);
    const events = await session.endTrace();
    const convs = events.filter((event) => event.opType === "Conv");
    expect(convs.length).toBe(140);
    expect(events.every((event) => event.us >= 0 && event.node !== "")).toBe(true);
    expect(await readdir(folder)).toEqual([]);
    await session[Symbol.asyncDispose]();
  });

  it("refuses a dynamic input for a measurement, with the fix", async () => {
    const session = await openOrtSession(dataPath("models", "minilm-l6.onnx"));
    expect(() => seededInputs(session.inputs)).toThrow(
      expect.objectContaining({ code: "dynamic-input", fix: expect.stringContaining('{"input_ids": [1,1]}') }),
    );
    await session[Symbol.asyncDispose]();
  });
});
