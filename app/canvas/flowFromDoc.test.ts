import { describe, expect, it } from "vitest";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { pipelineDoc } from "../../test/support/pipelineDoc.ts";
import { flowEdges, flowNodes } from "./flowFromDoc.ts";
import { NODE_WIDTH } from "./nodeGeometry.ts";

const doc = pipelineDoc(
  {
    model: { type: "load-model", version: 1, params: {}, position: { x: 10, y: 20 } },
    infer: { type: "infer", version: 1, params: {}, position: { x: 300, y: 20 }, title: "Candidate" },
    later: { type: "from-the-future", version: 1, params: {}, position: { x: 0, y: 0 } },
  },
  [
    { from: "model.model", to: "infer.model" },
    { from: "later.thing", to: "infer.tensors" },
  ],
);
const none = { selection: { nodes: new Set<string>(), edges: [] }, dragged: {} };

describe("flowNodes", () => {
  it("draws each node at its place, with its ports on its edges", () => {
    const [model, infer] = flowNodes(nodeDefs, doc, none, []);
    expect(model).toMatchObject({ id: "model", position: { x: 10, y: 20 }, data: { label: "Load model" } });
    expect(infer?.data.label).toBe("Candidate");
    const output = infer?.handles?.find((h) => h.type === "source");
    expect((output?.x ?? 0) + (output?.width ?? 0) / 2).toBe(NODE_WIDTH);
  });

  it("keeps a node of an unknown type", () => {
    expect(flowNodes(nodeDefs, doc, none, [])[2]).toMatchObject({
      id: "later",
      handles: [],
      data: { label: "from-the-future" },
    });
  });

  it("lays a drag over the document and keeps the other nodes' objects", () => {
    const before = flowNodes(nodeDefs, doc, none, []);
    const after = flowNodes(nodeDefs, doc, { ...none, dragged: { infer: { x: 5, y: 6 } } }, before);
    expect(after[0]).toBe(before[0]);
    expect(after[1]?.position).toEqual({ x: 5, y: 6 });
    expect(doc.nodes.infer?.position).toEqual({ x: 300, y: 20 });
  });
});

describe("flowEdges", () => {
  it("knows the kind of what flows, where the source is known", () => {
    const [first] = doc.edges;
    const edges = flowEdges(nodeDefs, doc, first ? [first] : []);
    expect(edges[0]).toMatchObject({ source: "model", targetHandle: "model", selected: true, data: { kind: "model" } });
    expect(edges[1]).toMatchObject({ selected: false, data: { kind: undefined } });
  });
});
