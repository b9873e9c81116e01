import { describe, expect, it } from "vitest";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { StepState } from "../../pipelines/document/reduceRun.ts";
import { docNode, pipelineDoc } from "../../test/support/pipelineDoc.ts";
import { duration, nodeView, staleNodes } from "./nodeView.ts";

const doc = pipelineDoc(
  {
    model: docNode("load-model"),
    quantize: docNode("quantize"),
    compile: docNode("compile-onnxruntime"),
    profile: docNode("profile"),
    images: docNode("load-images"),
  },
  [
    { from: "model.model", to: "quantize.model" },
    { from: "quantize.model", to: "compile.model" },
    { from: "compile.model", to: "profile.model" },
  ],
);
const step = (state: StepState["state"], more: Partial<StepState> = {}): StepState => ({
  state,
  outputs: {},
  previews: [],
  log: [],
  ...more,
});
const nothing = { stale: undefined, problem: undefined };

describe("staleNodes", () => {
  it("is empty for the document that ran, wherever its nodes stand", () => {
    const moved = {
      ...doc,
      nodes: { ...doc.nodes, model: { ...docNode("load-model"), position: { x: 9, y: 9 }, title: "M" } },
    };
    expect(staleNodes(nodeDefs, doc, moved).size).toBe(0);
  });

  it("goes from a changed parameter down, and nowhere else", () => {
    const changed = { ...doc, nodes: { ...doc.nodes, quantize: docNode("quantize", { format: "int4" }) } };
    expect([...staleNodes(nodeDefs, doc, changed)]).toEqual([
      ["quantize", "format changed"],
      ["compile", "quantize changed"],
      ["profile", "compile changed"],
    ]);
  });

  it("knows a rewired node", () => {
    const rewired = { ...doc, edges: [...doc.edges.slice(0, 2), { from: "model.model", to: "profile.model" }] };
    expect([...staleNodes(nodeDefs, doc, rewired)]).toEqual([["profile", "its wires changed"]]);
  });

  it("lets another target touch only what depends on it", () => {
    const stale = staleNodes(nodeDefs, doc, { ...doc, target: "raspberry-pi-5" });
    expect(stale.get("profile")).toContain("local-cpu");
    expect(stale.has("model")).toBe(false);
    expect(stale.has("images")).toBe(false);
  });
});

describe("nodeView", () => {
  it("shows progress, time, cache and staleness", () => {
    expect(nodeView({ ...nothing, step: step("running", { progress: { done: 40, total: 64 } }) })).toMatchObject({
      state: "running",
      word: "63 %",
    });
    expect(nodeView({ ...nothing, step: step("done", { ms: 4800 }) })).toMatchObject({ state: "done", word: "4.8 s" });
    expect(nodeView({ ...nothing, step: step("hit") })).toMatchObject({ state: "hit", word: "from cache" });
    expect(nodeView({ ...nothing, step: step("done"), stale: "bits changed" })).toMatchObject({
      state: "stale",
      why: "bits changed",
    });
  });

  it("tells a document's problem over an old result, but not over a run under way", () => {
    const problem = { code: "missing-input", severity: "error", message: "Infer needs a model." } as const;
    expect(nodeView({ stale: undefined, problem, step: step("done") }).state).toBe("invalid");
    expect(nodeView({ stale: undefined, problem, step: step("running") }).state).toBe("running");
  });
});

describe("a failure", () => {
  const failed = step("failed", { error: { code: "x", message: "No model is chosen" } });
  it("stands until the node changes", () => {
    expect(nodeView({ ...nothing, step: failed })).toMatchObject({ state: "failed", error: { code: "x" } });
    expect(nodeView({ ...nothing, step: failed, stale: "source changed" }).state).toBe("idle");
  });
});

describe("duration", () => {
  it.each([
    [4.2, "4.2 ms"],
    [420, "420 ms"],
    [4800, "4.8 s"],
    [95_000, "1 min 35 s"],
  ])("%f is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
