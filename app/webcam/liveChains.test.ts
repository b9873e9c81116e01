import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { type PipelineDoc, pipelineDocSchema } from "../../pipelines/document/doc.ts";
import { liveChains } from "./liveChains.ts";

const shipped = (name: string): PipelineDoc =>
  pipelineDocSchema.parse(JSON.parse(readFileSync(new URL(`../../pipelines/${name}.json`, import.meta.url), "utf8")));

describe("liveChains", () => {
  const doc = shipped("person-detection");

  it("finds both chains of the main pipeline, the original first, and passes over what was compiled", () => {
    const chains = liveChains(nodeDefs, doc);
    expect(chains.map(({ id, model }) => `${id} ${model.node}.${model.port}`)).toEqual([
      "infer-fp32 model.model",
      "infer quantize.model",
    ]);
    // The settings that the model brings are read from the run.
    const settings = { node: "model", port: "settings" };
    expect(chains[1]?.settings).toEqual({ preprocess: settings, nms: settings });
  });

  it("passes over an engine too", () => {
    const compile = { ...doc.nodes.compile, type: "compile-tensorrt", version: 1, params: {} };
    const edges = doc.edges.map((e) => (e.from === "compile.model" ? { ...e, from: "compile.engine" } : e));
    const engine = pipelineDocSchema.parse({ ...doc, nodes: { ...doc.nodes, compile }, edges });
    expect(liveChains(nodeDefs, engine).map(({ model }) => model.node)).toEqual(["model", "quantize"]);
  });

  it("takes the parameters of the preprocess whose settings are wired in", () => {
    const wired = pipelineDocSchema.parse({
      ...doc,
      edges: doc.edges.map((e) => (e.to === "infer.tensors" ? { ...e, from: "calibration-preprocess.tensors" } : e)),
    });
    const [original, candidate] = liveChains(nodeDefs, wired);
    expect(candidate?.preprocess).toEqual(original?.preprocess);
    expect(candidate?.settings).toEqual(original?.settings);
  });

  it("leaves out chains that cannot run: no model, or parameters that are wrong", () => {
    const cut = { ...doc, edges: doc.edges.filter((e) => e.to !== "infer.model") };
    expect(liveChains(nodeDefs, cut).map(({ id }) => id)).toEqual(["infer-fp32"]);
    const wrong = pipelineDocSchema.parse({
      ...doc,
      nodes: { ...doc.nodes, preprocess: { ...doc.nodes.preprocess, params: { width: -1 } } },
    });
    expect(liveChains(nodeDefs, wrong)).toEqual([]);
    expect(liveChains(nodeDefs, { ...doc, nodes: {}, edges: [] })).toEqual([]);
  });
});
