import { describe, expect, it } from "vitest";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { applyEdit } from "../../pipelines/document/edit.ts";
import { docNode, pipelineDoc } from "../../test/support/pipelineDoc.ts";
import { connectEdit, edgeOf, fits, fragmentOf, insertEdits, insertPorts, pasteEdit } from "./wiring.ts";

const doc = pipelineDoc(
  { model: docNode("load-model"), other: docNode("load-model"), infer: docNode("infer"), compare: docNode("compare") },
  [{ from: "model.model", to: "infer.model" }],
);

describe("edgeOf", () => {
  it("does not mind which end was grabbed first", () => {
    const source = { nodeId: "model", id: "model", type: "source" } as const;
    const target = { nodeId: "infer", id: "model", type: "target" } as const;
    expect(edgeOf(source, target)).toEqual({ from: "model.model", to: "infer.model" });
    expect(edgeOf(target, source)).toEqual({ from: "model.model", to: "infer.model" });
    expect(edgeOf(source, source)).toBeUndefined();
  });
});

describe("connectEdit", () => {
  it("lets the old wire of a port that takes one give way", () => {
    const next = applyEdit(doc, connectEdit(nodeDefs, doc, { from: "other.model", to: "infer.model" }));
    expect(next.edges).toEqual([{ from: "other.model", to: "infer.model" }]);
  });
  it("adds to a port that takes many", () => {
    const once = applyEdit(doc, connectEdit(nodeDefs, doc, { from: "model.report", to: "compare.baseline" }));
    const twice = applyEdit(once, connectEdit(nodeDefs, once, { from: "other.report", to: "compare.baseline" }));
    expect(twice.edges.filter((e) => e.to === "compare.baseline")).toHaveLength(2);
  });
});

describe("fits", () => {
  it("offers only what takes the kind, required ports before optional ones", () => {
    const found = fits(nodeDefs, doc, { node: "infer", port: "tensors", side: "source" });
    const types = found.map((fit) => fit.def.type);
    expect(types[0]).toBe("nms");
    expect(types).not.toContain("load-model");
    expect(types.indexOf("nms")).toBeLessThan(types.indexOf("quantize"));
  });
  it("offers what gives the kind for an input", () => {
    const types = fits(nodeDefs, doc, { node: "infer", port: "tensors", side: "target" }).map((fit) => fit.def.type);
    expect(types).toContain("preprocess");
    expect(types).not.toContain("load-images");
  });
});

describe("insert", () => {
  it("puts a node into a wire", () => {
    const [edge] = doc.edges;
    const quantize = nodeDefs.quantize;
    if (!edge || !quantize) throw new Error("no wire to insert into");
    const ports = insertPorts(nodeDefs, doc, edge, quantize);
    expect(ports).toEqual({ input: "model", output: "model" });
    const grown = { ...doc, nodes: { ...doc.nodes, quantize: docNode("quantize") } };
    const next = insertEdits(edge, "quantize", ports ?? { input: "", output: "" }).reduce(applyEdit, grown);
    expect(next.edges).toEqual([
      { from: "model.model", to: "quantize.model" },
      { from: "quantize.model", to: "infer.model" },
    ]);
  });
  it("refuses where the node has no such ports", () => {
    const [edge] = doc.edges;
    const compare = nodeDefs.compare;
    expect(edge && compare && insertPorts(nodeDefs, doc, edge, compare)).toBeUndefined();
  });
});

describe("copy and paste", () => {
  it("takes the wires among the copied nodes along, under fresh ids", () => {
    const add = pasteEdit(doc, fragmentOf(doc, new Set(["model", "infer"])), { x: 40, y: 40 });
    expect(Object.keys(add.nodes)).toEqual(["model-2", "infer-2"]);
    expect(add.edges).toEqual([{ from: "model-2.model", to: "infer-2.model" }]);
    expect(add.nodes["infer-2"]?.position).toEqual({ x: 40, y: 40 });
    const next = applyEdit(doc, add);
    expect(Object.keys(pasteEdit(next, fragmentOf(doc, new Set(["infer"])), { x: 0, y: 0 }).nodes)).toEqual([
      "infer-3",
    ]);
  });
});
