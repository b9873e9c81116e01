import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineNode } from "../../nodes/define.ts";
import { checkPipeline } from "./check.ts";
import { type PipelineDoc, serializeDoc } from "./doc.ts";
import { applyEdit, describeEdit, type Edit, type JsonValue } from "./edit.ts";
import { canConnect, type NodeDefs, topologicalOrder, upstreamOf } from "./graph.ts";
import { migrateDoc } from "./migrations.ts";

const base = { category: "Source", icon: "box", doc: "", effects: "pure", resources: ["cpu"], migrations: {} } as const;
const source = defineNode({
  ...base,
  type: "source",
  version: 2,
  title: "Source",
  params: z.strictObject({ file: z.string().default("") }),
  inputs: {},
  outputs: { model: { kind: "model", doc: "" } },
  migrations: { 1: { name: "rename-path", up: ({ path, ...rest }) => ({ ...rest, file: path }) } },
});
const quantize = defineNode({
  ...base,
  type: "quantize",
  version: 1,
  title: "Quantize",
  params: z.strictObject({ bits: z.int().min(2).max(8).default(8) }),
  inputs: {
    model: { kinds: ["model"], doc: "" },
    calibration: { kinds: ["calibration"], optional: true, doc: "" },
  },
  outputs: { model: { kind: "model", doc: "" } },
});
const defs: NodeDefs = { source, quantize };

function doc(nodes: Record<string, string>, edges: [string, string][] = []): PipelineDoc {
  return {
    format: "edgewright.pipeline",
    version: 1,
    name: "test",
    target: "local-cpu",
    nodes: Object.fromEntries(
      Object.entries(nodes).map(([id, type]) => [
        id,
        { type, version: type === "source" ? 2 : 1, params: {}, position: { x: 0, y: 0 } },
      ]),
    ),
    edges: edges.map(([from, to]) => ({ from, to })),
  };
}
const codes = (d: PipelineDoc) => checkPipeline(defs, d).map((x) => x.code);

describe("checkPipeline", () => {
  it("accepts a pipeline that can run", () => {
    expect(codes(doc({ a: "source", b: "quantize" }, [["a.model", "b.model"]]))).toEqual([]);
  });
  it.each([
    ["missing-input", doc({ b: "quantize" })],
    ["unknown-node-type", doc({ a: "sauce" })],
    ["unknown-node-type", doc({ a: "constructor" })],
    ["empty", doc({})],
    [
      "wrong-kind",
      doc({ a: "source", b: "quantize" }, [
        ["a.model", "b.model"],
        ["a.model", "b.calibration"],
      ]),
    ],
    [
      "unknown-port",
      doc({ a: "source", b: "quantize" }, [
        ["a.model", "b.model"],
        ["a.modle", "b.model"],
      ]),
    ],
    ["unknown-node", doc({ a: "source" }, [["constructor.model", "a.model"]])],
    [
      "taken-port",
      doc({ a: "source", c: "source", b: "quantize" }, [
        ["a.model", "b.model"],
        ["c.model", "b.model"],
      ]),
    ],
    [
      "duplicate-wire",
      doc({ a: "source", b: "quantize" }, [
        ["a.model", "b.model"],
        ["a.model", "b.model"],
      ]),
    ],
    [
      "cycle",
      doc({ a: "quantize", b: "quantize" }, [
        ["a.model", "b.model"],
        ["b.model", "a.model"],
      ]),
    ],
  ])("says %s", (code, d) => expect(codes(d)).toContain(code));

  it("names an unknown parameter, the likely one and the node", () => {
    const d = doc({ a: "source", b: "quantize" }, [["a.model", "b.model"]]);
    const wrong = applyEdit(d, { op: "param", node: "b", name: "bit", value: 4 });
    expect(checkPipeline(defs, wrong)).toMatchObject([
      { code: "unknown-parameter", nodeId: "b", fix: expect.stringContaining('"bits"') },
    ]);
  });
  it("says a value out of range with the default", () => {
    const d = doc({ a: "source", b: "quantize" }, [["a.model", "b.model"]]);
    const wrong = applyEdit(d, { op: "param", node: "b", name: "bits", value: 99 });
    expect(checkPipeline(defs, wrong)).toMatchObject([{ code: "bad-parameter", fix: "The default is 8." }]);
  });
});

describe("canConnect", () => {
  const d = doc({ a: "source", b: "quantize", c: "quantize" }, [["b.model", "c.model"]]);
  it("says what the port wants and what it got", () => {
    const verdict = canConnect(defs, d, { from: "a.model", to: "b.calibration" });
    expect(verdict).toMatchObject({ ok: false, reason: "Quantize wants a calibration; Source gives a model." });
  });
  it("refuses a circle", () => {
    expect(canConnect(defs, d, { from: "c.model", to: "b.model" })).toMatchObject({ ok: false, code: "cycle" });
  });
});

describe("migrateDoc", () => {
  it("takes an old node along by named steps", () => {
    const old = { ...doc({ a: "source" }), nodes: { a: { type: "source", version: 1, params: { path: "x.onnx" } } } };
    const result = migrateDoc(defs, old);
    expect(result).toMatchObject({ applied: ["source/rename-path"], doc: { nodes: { a: { version: 2 } } } });
    if ("doc" in result) expect(result.doc.nodes.a?.params).toEqual({ file: "x.onnx" });
  });
  it.each([
    ["not-a-pipeline", { nodes: {} }],
    ["not-a-pipeline", null],
    ["newer-version", { ...doc({}), version: 2 }],
    ["newer-version", { ...doc({}), nodes: { a: { type: "quantize", version: 9 } } }],
    ["bad-document", { ...doc({}), colour: "red" }],
    ["bad-document", { ...doc({}), nodes: JSON.parse('{"__proto__": {"type": "quantize", "version": 1}}') }],
    ["bad-document", { ...doc({}), edges: JSON.parse("[".repeat(3000) + "]".repeat(3000)) }],
    ["bad-document", { ...doc({}), nodes: { "A b": { type: "quantize", version: 1 } } }],
  ])("says %s", (code, raw) => {
    const result = migrateDoc(defs, raw);
    expect("diagnostics" in result && result.diagnostics[0]?.code).toBe(code);
  });
  it("leaves out params that equal their defaults", () => {
    const nodes = { a: { type: "quantize", version: 1, params: { bits: 8 } } };
    const result = migrateDoc(defs, { ...doc({}), nodes });
    expect("doc" in result && result.doc.nodes.a?.params).toEqual({});
  });
  it("is total on any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (raw) => {
        const result = migrateDoc(defs, raw);
        return "doc" in result || result.diagnostics.length > 0;
      }),
    );
  });
});

describe("edits", () => {
  const id = fc.constantFrom("a", "b", "c", "constructor");
  const edge = fc.record({
    from: id.map((x) => `${x}.model`),
    to: fc.tuple(id, fc.constantFrom("model", "calibration")).map(([n, p]) => `${n}.${p}`),
  });
  const json = fc.constantFrom<JsonValue>(4, 99, "x", null, true, [1, "y"], { z: 2 });
  const node = fc.record({
    type: fc.constantFrom("source", "quantize", "toString"),
    version: fc.constant(1),
    params: fc.dictionary(fc.constantFrom("bits", "file", "x"), json),
    position: fc.constant({ x: 0, y: 0 }),
  });
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ op: fc.constant("add" as const), nodes: fc.dictionary(id, node), edges: fc.array(edge) }),
    fc.record({ op: fc.constant("remove" as const), nodes: fc.array(id), edges: fc.array(edge) }),
    fc.record({ op: fc.constant("param" as const), node: id, name: fc.constant("bits"), value: json }),
    fc.record({ op: fc.constant("connect" as const), edge, replace: fc.array(edge) }),
    fc.record({ op: fc.constant("title" as const), node: id, title: fc.constantFrom("", "x") }),
  );

  it("keeps the check total, the old document untouched, and the order complete", () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
        let d = doc({ a: "source", b: "quantize" }, [["a.model", "b.model"]]);
        for (const e of edits) {
          const before = JSON.stringify(d);
          const next = applyEdit(d, e);
          expect(JSON.stringify(d)).toBe(before);
          expect(describeEdit(e)).not.toBe("");
          d = next;
        }
        checkPipeline(defs, d);
        const { order, cycle } = topologicalOrder(d);
        expect([...order, ...cycle].sort()).toEqual(Object.keys(d.nodes).sort());
        for (const x of order) expect(upstreamOf(d, x).has(x)).toBe(false);
      }),
    );
  });
  it("saves the same text whatever the order of keys and wires", () => {
    const d = doc({ a: "source", b: "quantize", c: "quantize" }, [
      ["a.model", "b.model"],
      ["a.model", "c.model"],
    ]);
    const shuffled = { ...d, nodes: { c: d.nodes.c, a: d.nodes.a, b: d.nodes.b }, edges: [...d.edges].reverse() };
    expect(serializeDoc(shuffled as PipelineDoc)).toBe(serializeDoc(d));
  });
});
