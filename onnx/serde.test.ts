import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cloneModel } from "./cloneModel.ts";
import { DataType } from "./ir/dataType.ts";
import { Graph, Model, type Node } from "./ir/graph.ts";
import { memorySource, Tensor } from "./ir/tensor.ts";
import { Message } from "./message.ts";
import { TensorProto } from "./proto.ts";
import { modelBytes, readModel } from "./serde.ts";
import { verifyModel } from "./verify.ts";

const golden = (name: string) => readFileSync(new URL(`./serde/golden/${name}`, import.meta.url));
const reread = async (model: Model) => readModel(memorySource(await modelBytes(model)));

/** Written by the onnx package 1.23 (protobuf's own serializer): every field of onnx.proto, in odd ways. */
const everyField = () => readModel(memorySource(golden("everyField.onnx")));

function tiny(): Model {
  const graph = new Graph("g");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: ["n", 3] });
  const w = graph.addInitializer("w", Tensor.f32([3], [1, 2, 3]));
  const add = graph.addNode({ opType: "Add", name: "add", inputs: [x, w], outputs: ["y"] });
  graph.addOutput(add.output());
  return model;
}

function nodeOf(model: Model, opType: string): Node {
  const node = model.graph.nodes.find((candidate) => candidate.opType === opType);
  if (!node) throw new Error(`no ${opType}`);
  return node;
}

describe("a file with every field", () => {
  it("is written back byte for byte", async () => {
    expect(Buffer.from(await modelBytes(await everyField())).equals(golden("everyField.onnx"))).toBe(true);
  });

  it("is written back byte for byte by a clone too", async () => {
    expect(Buffer.from(await modelBytes(cloneModel(await everyField()))).equals(golden("everyField.onnx"))).toBe(true);
  });

  it("has the elements that numpy sees, of every type and storage", async () => {
    const expected: Record<string, string> = JSON.parse(golden("everyField.tensors.json").toString());
    const { graph } = await everyField();
    expect(Object.keys(expected).length).toBeGreaterThan(20);
    for (const [name, hex] of Object.entries(expected)) {
      const bytes = await graph.values.get(name)?.initializer?.bytes();
      expect(`${name} ${Buffer.from(bytes ?? []).toString("hex")}`).toBe(`${name} ${hex}`);
    }
    const strings = graph.values.get("s")?.initializer?.strings;
    expect(strings?.map((bytes) => [...bytes])).toEqual([[], [0xff, 0xfe], [0xe4, 0xb8, 0xad]]);
  });

  it("has attributes of every type, references and unknown ones kept as they are", async () => {
    const node = nodeOf(await everyField(), "Weird");
    const types = Object.fromEntries(Array.from(node.attributes, ([name, { type }]) => [name, type]));
    expect(types).toMatchObject({
      f: "float",
      i: "int",
      s: "string",
      t: "tensor",
      floats: "floats",
      ints: "ints",
      strings: "strings",
      tensors: "tensors",
      g: "graph",
      gs: "graphs",
      sparse: "opaque",
      tp: "opaque",
      nothing: "opaque",
      ref: "opaque",
      notype: "ints",
    });
    expect(node.float("f0")).toBe(0);
    expect(node.ints("notype")).toEqual([1, 2]);
    expect(node.tensor("t")?.numbers).toEqual([0, 1, 2]);
  });

  it("lets bodies read the values around them and knows these uses", async () => {
    const model = await everyField();
    const users = model.graph.values.get("raw")?.uses.map(({ node }) => `${node.graph.name}/${node.opType}`);
    expect(users).toEqual(["g/Weird", "sub/Add"]);
    expect(model.graph.values.get("u8")?.outputOf.map(({ name }) => name)).toEqual(["e"]);
    expect(verifyModel(model).map(({ code }) => code)).toEqual(["order"]);
    model.graph.sortTopologically();
    expect(verifyModel(model)).toEqual([]);
  });

  it("keeps the rest as it was where a part is changed", async () => {
    const model = await everyField();
    model.graph.sortTopologically();
    nodeOf(model, "Weird").set("i", 5);
    const raw = model.graph.values.get("raw");
    if (!raw) throw new Error("no value");
    model.graph.rename(raw, "renamed");
    const again = await reread(model);
    const node = nodeOf(again, "Weird");
    expect(node.int("i")).toBe(5);
    expect(node.inputs.map((value) => value?.name)).toEqual(["x", undefined, "renamed", undefined, undefined]);
    expect(again.graph.values.get("renamed")?.initializer?.numbers).toEqual([1, 2]);
    const before = golden("everyField.onnx").length;
    // "raw" to "renamed" in six places of four bytes more each; "i" from ten bytes to two, its doc kept.
    expect(Math.abs((await modelBytes(model)).length - before)).toBeLessThan(40);
    expect(Buffer.from(await modelBytes(again)).equals(Buffer.from(await modelBytes(model)))).toBe(true);
  });
});

describe("a model made in memory", () => {
  it("is read as it was made", async () => {
    const model = tiny();
    const node = nodeOf(model, "Add");
    node.set("axis", -1);
    node.set("to_the_end", 2 ** 63);
    node.set("alpha", { float: 0.5 });
    node.set("scales", { floats: [1, 0.25] });
    node.set("perm", [0, 2, 1]);
    node.set("mode", "linear");
    node.set("value", Tensor.i64([2], [-1, 5]));
    model.metadata.set("classes", "a,b");
    const again = await reread(model);
    const read = nodeOf(again, "Add");
    expect([read.int("axis"), read.int("to_the_end"), read.float("alpha")]).toEqual([-1, 2 ** 63, 0.5]);
    expect([read.floats("scales"), read.ints("perm"), read.string("mode")]).toEqual([[1, 0.25], [0, 2, 1], "linear"]);
    expect(read.tensor("value")?.numbers).toEqual([-1, 5]);
    expect(again.graph.inputs[0]?.type).toEqual({ elemType: 1, shape: ["n", 3] });
    expect(again.graph.values.get("w")?.initializer?.numbers).toEqual([1, 2, 3]);
    expect([again.irVersion, again.opset, again.metadata.get("classes")]).toEqual([8, 17, "a,b"]);
    expect(Buffer.from(await modelBytes(again)).equals(Buffer.from(await modelBytes(model)))).toBe(true);
  });

  it("states the types of the values between nodes, those that are known", async () => {
    const model = tiny();
    const { graph } = model;
    const relu = graph.addNode({ opType: "Relu", inputs: [nodeOf(model, "Add").output()], outputs: ["z"] });
    graph.setOutput(0, relu.output());
    nodeOf(model, "Add").output().type = { elemType: 1, shape: [null, 3] };
    const again = await reread(model);
    expect(again.graph.values.get("y")?.type).toEqual({ elemType: 1, shape: [null, 3] });
    expect(again.graph.values.get("z")?.type).toBeUndefined();
    const value = again.graph.values.get("y");
    if (value) value.type = undefined;
    expect((await reread(again)).graph.values.get("y")?.type).toBeUndefined();
  });

  it("lists initializers among the inputs of old files, and they are no feeds", async () => {
    const model = tiny();
    model.irVersion = 3;
    const w = model.graph.values.get("w");
    if (w) model.graph.listInput(w);
    const again = await reread(model);
    expect(again.graph.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
    expect(again.graph.feeds.map(({ name }) => name)).toEqual(["x"]);
    expect(again.graph.values.get("w")?.constant?.numbers).toEqual([1, 2, 3]);
  });

  it("drops what was removed and keeps what a node's removal leaves", async () => {
    const model = tiny();
    const { graph } = model;
    const relu = graph.addNode({ opType: "Relu", inputs: [nodeOf(model, "Add").output()], outputs: ["z"] });
    graph.setOutput(0, relu.output());
    const again = await reread(model);
    const add = nodeOf(again, "Add");
    expect(again.graph.replaceAllUses(add.output(), add.input(0))).toBe(true);
    again.graph.removeNode(add);
    const w = again.graph.values.get("w");
    if (w) again.graph.removeValue(w);
    expect(verifyModel(again)).toEqual([]);
    const last = await reread(again);
    expect([...last.graph.values.keys()]).toEqual(["x", "z"]);
    expect(last.graph.nodes.map(({ opType }) => opType)).toEqual(["Relu"]);
  });
});

describe("large lists of integers, an element each", () => {
  /** Each takes ten bytes, being negative. */
  const COUNT = 30_000;
  async function listed(count: number): Promise<Model> {
    const model = tiny();
    const { graph } = model;
    const run = Uint8Array.from({ length: 10 * COUNT }, (_, i) =>
      i % 10 === 0 ? 0x80 | (i % 0x7f) : i % 10 === 9 ? 1 : 0xff,
    );
    const origin = Message.of(TensorProto, { dims: [count], data_type: [DataType.INT16], int32_data: [run] });
    graph.addInitializer("list", new Tensor(DataType.INT16, [count], { inline: run, origin }));
    return reread(model);
  }

  it("are unpacked when they are asked for, in whole or in part", async () => {
    const tensor = (await listed(COUNT)).graph.values.get("list")?.initializer;
    expect(tensor?.ref?.length).toBe(2 * COUNT);
    const bytes = (await tensor?.bytes()) ?? new Uint8Array();
    const expected = Int16Array.from({ length: COUNT }, (_, i) => -128 + ((10 * i) % 0x7f));
    expect([...new Int16Array(bytes.buffer, bytes.byteOffset, COUNT)]).toEqual([...expected]);
    expect(await tensor?.ref?.source.read(100, 4)).toEqual(bytes.subarray(100, 104));
  });

  it("are refused then where there are more or fewer than the shape says", async () => {
    const tensor = (await listed(COUNT - 1)).graph.values.get("list")?.initializer;
    await expect(tensor?.bytes()).rejects.toMatchObject({ code: "tensor-size" });
  });
});

describe("a model that is not sound is refused, with the fix", () => {
  const broken: [string, (model: Model) => void][] = [
    [
      "cycle",
      ({ graph }) => {
        const [add] = graph.nodes;
        const relu = graph.addNode({ opType: "Relu", inputs: [add?.output() ?? null], outputs: ["r"] });
        add?.setInput(0, relu.output());
      },
    ],
    ["missing-value", ({ graph }) => graph.nodes[0]?.setInput(1, graph.addValue("nowhere"))],
    [
      "duplicate-name",
      ({ graph }) => {
        const twin = graph.addNode({ opType: "Relu", inputs: [null], outputs: ["other"] });
        twin.output().name = "y";
      },
    ],
    [
      "no-name",
      ({ graph }) => {
        const [x] = graph.inputs;
        if (x) x.name = "";
      },
    ],
    [
      "tensor-size",
      ({ graph }) => {
        graph.addInitializer("few", new Tensor(1, [1000], { inline: new Uint8Array(4) }));
      },
    ],
    [
      "tensor-size",
      ({ graph }) => {
        graph.addInitializer("10 TB", new Tensor(1, [50_000, 50_000, 1000], { inline: new Uint8Array(4) }));
      },
    ],
    [
      "tensor-too-large",
      ({ graph }) => {
        graph.addInitializer("all", new Tensor(1, [2 ** 40, 2 ** 40], { inline: new Uint8Array(4) }));
      },
    ],
    [
      "tensor-too-large",
      ({ graph }) => {
        graph.addInitializer("less", new Tensor(1, [-1], { inline: new Uint8Array(4) }));
      },
    ],
    [
      "tensor-size",
      ({ graph }) => {
        graph.addInitializer("texts", new Tensor(DataType.STRING, [2 ** 40], { strings: [new Uint8Array(1)] }));
      },
    ],
  ];
  it.each(broken)("%s", async (code, spoil) => {
    const model = tiny();
    spoil(model);
    const bytes = await modelBytes(model);
    await expect(readModel(memorySource(bytes))).rejects.toMatchObject({ name: "ModelFormatError", code, fix: /\w/ });
  });

  it("duplicate-name, of two initializers", async () => {
    const model = tiny();
    model.graph.addInitializer("~", Tensor.f32([1], [1]));
    const bytes = (await modelBytes(model)).map((byte) => (byte === 0x7e ? 0x77 : byte));
    await expect(readModel(memorySource(bytes))).rejects.toMatchObject({ code: "duplicate-name" });
  });

  it.each([
    ["not-onnx", "version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"],
    ["not-onnx", '{"format": "edgewright.pipeline"}', ".onnx"],
    ["not-onnx", "\x08\0\0\0TFL3", "tf2onnx"],
    ["no-graph", "\x08\x08", "Export"],
  ])("%s: %j", async (code, content, fix) => {
    const source = memorySource(new TextEncoder().encode(content));
    await expect(readModel(source)).rejects.toMatchObject({ code, fix: expect.stringContaining(fix) });
  });
});
