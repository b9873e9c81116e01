import { describe, expect, it } from "vitest";
import { noiseTensor } from "../../test/support/outputs.ts";
import { modelFrom } from "../../test/support/randomGraph.ts";
import { renderFace } from "../../test/support/renderFace.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { Face } from "./face.tsx";
import { simplifyReport } from "./report.ts";
import { run } from "./run.ts";

const graph = () =>
  modelFrom({
    seed: 3,
    steps: [
      { step: "batchNorm", pick: 0 },
      { step: "identity", pick: 0 },
      { step: "transposePair", pick: 0 },
    ],
  });

async function simplified(workspace: NodeWorkspace, items?: readonly TensorItem[]) {
  const model = await workspace.artifacts.saveModel(graph());
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
