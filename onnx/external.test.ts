import { describe, expect, it } from "vitest";
import { safeLocation } from "./external.ts";
import { Graph, Model } from "./ir/graph.ts";
import { memorySource, Tensor } from "./ir/tensor.ts";
import { Message } from "./message.ts";
import { AttributeProto, FunctionProto, NodeProto } from "./proto.ts";
import { modelBytes, readModel, writeModel } from "./serde.ts";

const LARGE = 40_000;

/** A small and a large weight, both in a data file; the large one behind the small one. */
async function externalModel(entries?: (name: string) => { location: string; offset: number; length: number }) {
  const graph = new Graph("g");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const x = graph.addInput("x", { elemType: 1, shape: [1] });
  const small = graph.addInitializer("small", Tensor.f32([2], [1, 2]));
  const large = graph.addInitializer(
    "large",
    Tensor.f32(
      [LARGE],
      Float32Array.from({ length: LARGE }, (_, i) => i),
    ),
  );
  const node = graph.addNode({ opType: "Sum", inputs: [x, small, large], outputs: ["y"] });
  graph.addOutput(node.output());
  const data = new Uint8Array(8 + LARGE * 4);
  data.set((await small.initializer?.bytes()) ?? [], 0);
  data.set((await large.initializer?.bytes()) ?? [], 8);
  const usual = (name: string) =>
    name === "small"
      ? { location: "w.bin", offset: 0, length: 8 }
      : { location: "w.bin", offset: 8, length: LARGE * 4 };
  const structure = await collect(writeModel(model, { placeExternal: (_, name) => (entries ?? usual)(name) }));
  return { structure, data, usual };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

describe("safeLocation", () => {
  it.each([
    ["weights.bin", "weights.bin"],
    ["./a//b.bin", "a/b.bin"],
    ["a\\b.bin", "a/b.bin"],
    ["..weights", "..weights"],
  ])("takes %j", (location, expected) => {
    expect(safeLocation(location)).toBe(expected);
  });

  it.each([
    "",
    ".",
    "/etc/passwd",
    "\\\\host\\share",
    "C:\\w.bin",
    "c:w.bin",
    "../w.bin",
    "a/../../w",
    "a\\..\\..\\w",
    "a\0b",
  ])("refuses %j", (location) => {
    expect(() => safeLocation(location)).toThrow(
      expect.objectContaining({ code: "external-location", fix: expect.stringContaining("save_as_external_data") }),
    );
  });
});

describe("external data", () => {
  it("is read by reference when large, at once when small, from a file opened once", async () => {
    const { structure, data } = await externalModel();
    const opened: string[] = [];
    const openExternal = async (location: string) => {
      opened.push(location);
      return memorySource(data);
    };
    const { graph } = await readModel(memorySource(structure), { openExternal });
    expect(opened).toEqual(["w.bin"]);
    expect(graph.values.get("small")?.initializer?.numbers).toEqual([1, 2]);
    const large = graph.values.get("large")?.initializer;
    expect(large?.ref).toMatchObject({ offset: 8, length: LARGE * 4 });
    expect(large?.numbers).toBeUndefined();
    expect((await large?.floats())?.[LARGE - 1]).toBe(LARGE - 1);
  });

  it("moves into the file, stays outside, or stays as it is, as the writer is told", async () => {
    const { structure, data, usual } = await externalModel();
    const openExternal = async () => memorySource(data);
    const model = await readModel(memorySource(structure), { openExternal });
    const kept = await collect(writeModel(model, { placeExternal: (_, name) => usual(name) }));
    expect(kept.equals(structure)).toBe(true);

    const inside = await readModel(memorySource(await modelBytes(model)));
    expect(await inside.graph.values.get("large")?.initializer?.bytes()).toEqual(data.subarray(8));
    expect(inside.graph.values.get("small")?.initializer?.numbers).toEqual([1, 2]);

    const blind = await readModel(memorySource(structure));
    await expect(blind.graph.values.get("small")?.initializer?.bytes()).rejects.toThrow(/external/);
    expect(Buffer.from(await modelBytes(blind)).equals(structure)).toBe(true);
  });

  it.each([
    ["external-range", { location: "w.bin", offset: 12, length: 160_000 }, "cut short"],
    ["external-range", { location: "w.bin", offset: 2 ** 50, length: 160_000 }, "cut short"],
    ["external-range", { location: "w.bin", offset: -1, length: 160_000 }, "damaged"],
    ["external-range", { location: "w.bin", offset: 0.5, length: 160_000 }, "damaged"],
    ["tensor-size", { location: "w.bin", offset: 8, length: 4 }, "another model"],
    ["external-location", { location: "../w.bin", offset: 8, length: 160_000 }, "beside it"],
  ])("refuses %s: %j", async (code, place, fix) => {
    const small = { location: "w.bin", offset: 0, length: 8 };
    const { structure, data } = await externalModel((name) => (name === "large" ? place : small));
    const openExternal = async () => memorySource(data);
    await expect(readModel(memorySource(structure), { openExternal })).rejects.toMatchObject({
      name: "ModelFormatError",
      code,
      fix: expect.stringContaining(fix),
    });
  });

  it("is refused in a function, whose tensors have to be in the file", async () => {
    const { structure } = await externalModel();
    const model = await readModel(memorySource(structure));
    const tensor = model.graph.values.get("small")?.initializer?.origin;
    if (!(tensor instanceof Message) || !(model.origin instanceof Message)) throw new Error("no message");
    const attribute = Message.of(AttributeProto, { name: ["value"], t: [tensor], type: [4] });
    const node = Message.of(NodeProto, { op_type: ["Constant"], output: ["c"], attribute: [attribute] });
    model.origin = model.origin.with({ functions: [Message.of(FunctionProto, { name: ["f"], node: [node] })] });
    await expect(readModel(memorySource(await modelBytes(model)))).rejects.toMatchObject({
      code: "external-in-function",
    });
  });
});
