import { describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model, type Shape } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { noiseTensor } from "../../test/support/outputs.ts";
import { simplifiable } from "../../test/support/randomGraph.ts";
import { renderFace } from "../../test/support/renderFace.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { Face } from "./face.tsx";
import { simplifyReport } from "./report.ts";
import { run } from "./run.ts";
import { simplify } from "./schema.ts";

/** ids -> a row of a table each, through an Identity that goes. */
function embedding(shape: Shape | undefined): Model {
  const { graph, model } = emptyModel();
  const ids = graph.addInput("ids", { elemType: DataType.INT64, ...(shape && { shape }) });
  const table = graph.addInitializer("table", Tensor.f32([2, 3], [1, 2, 3, 4, 5, 6]));
  const rows = graph.addNode({ opType: "Gather", inputs: [table, ids], outputs: ["rows"] });
  const same = graph.addNode({ opType: "Identity", inputs: [rows.output()], outputs: ["same"] });
  same.output().type = { elemType: DataType.FLOAT };
  graph.addOutput(same.output());
  return model;
}

function emptyModel() {
  const graph = new Graph("embedding");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  return { graph, model };
}

async function simplified(workspace: NodeWorkspace, items?: readonly TensorItem[], given = simplifiable()) {
  const model = await workspace.artifacts.saveModel(given);
  const tensors = items && streamOf(items);
  const { outputs, warnings } = await workspace.run(run, { inputs: { model, tensors } });
  if (!outputs.model || !outputs.report) throw new Error("an output is missing");
  return {
    ref: outputs.model,
    model: await workspace.artifacts.openModel(outputs.model),
    json: await workspace.artifacts.readJson(outputs.report),
    warnings,
  };
}

function item(index: number): TensorItem {
  return {
    frame: { id: `${index}.png`, index, width: 8, height: 8 },
    tensors: { "": noiseTensor([1, 4, 8, 8], index + 1) },
  };
}

describe("simplify", () => {
  it("names and counts what it did, and compares on noise", async () => {
    await using workspace = await openNodeWorkspace();
    const { model, json, warnings } = await simplified(workspace);
    const report = simplifyReport.parse(json);
    expect(model.graph.nodes.map((node) => node.opType)).toEqual(["Conv", "Conv", "Flatten"]);
    expect(report.nodes).toEqual({ before: 7, after: 3 });
    expect(report.operators).toContainEqual({ opType: "BatchNormalization", before: 1, after: 0 });
    expect(report.rules).toContainEqual({ rule: "fuse-affine-into-layer", count: 1 });
    expect(report.difference?.on).toBe("noise");
    for (const { relative } of Object.values(report.difference?.outputs ?? {})) expect(relative).toBeLessThan(1e-5);
    expect(warnings).toEqual([]);
  });

  it("compares on the stream where one is wired, and reads no more of it than it needs", async () => {
    await using workspace = await openNodeWorkspace();
    const { json } = await simplified(
      workspace,
      Array.from({ length: 9 }, (_, i) => item(i)),
    );
    expect(simplifyReport.parse(json).difference).toMatchObject({ on: "tensors", items: 4 });
  });

  it("writes it in a newer operator set where asked, each rewrite counted", async () => {
    await using workspace = await openNodeWorkspace();
    const old = simplifiable();
    old.opsetImports.set("", 13);
    const input = await workspace.artifacts.saveModel(old);
    const { outputs } = await workspace.run(run, {
      inputs: { model: input, tensors: undefined },
      params: { opset: 21 },
    });
    if (!outputs.report) throw new Error("no report");
    const report = simplifyReport.parse(await workspace.artifacts.readJson(outputs.report));
    expect(report.opset).toEqual({ before: 13, after: 21 });
    for (const { relative } of Object.values(report.difference?.outputs ?? {})) expect(relative).toBeLessThan(1e-5);
  });

  it("makes up token ids of open length, and says where it cannot compare", async () => {
    await using workspace = await openNodeWorkspace();
    const { json, warnings } = await simplified(workspace, undefined, embedding(["batch", "length"]));
    expect(warnings).toEqual([]);
    expect(simplifyReport.parse(json).difference).toMatchObject({ on: "noise", items: 1 });
    const unknown = await simplified(workspace, undefined, embedding(undefined));
    expect(simplifyReport.parse(unknown.json).difference).toBeUndefined();
    expect(unknown.warnings).toEqual([expect.stringContaining("Not compared")]);
  });

  it("gives the same bytes twice", async () => {
    await using workspace = await openNodeWorkspace();
    const [a, b] = [await simplified(workspace), await simplified(workspace)];
    expect(a.ref.digest).toBe(b.ref.digest);
  });

  it("draws its result", async () => {
    await using workspace = await openNodeWorkspace();
    const { json } = await simplified(workspace);
    const report = Object.fromEntries(Object.entries(json ?? {}));
    expect(renderFace(Face, { report })).toContain("BatchNormal");
    expect(renderFace(Face, { report, large: true })).toContain("fuse-affine-into-layer");
    expect(renderFace(Face, {})).toBe("");
  });
});

it("takes older documents along as they are (transposes-through-regions, only-what-computes-the-same)", () => {
  for (const version of [1, 2]) expect(simplify.migrations[version]?.up({ opset: 20 })).toEqual({ opset: 20 });
});
