import { describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { denseNet } from "../../test/support/denseNet.ts";
import { noise } from "../../test/support/outputs.ts";
import { renderFace } from "../../test/support/renderFace.ts";
import { type NodeWorkspace, openNodeWorkspace, testTarget } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { Face } from "./face.tsx";
import { autotuneReport, type PointReport } from "./report.ts";
import { run } from "./run.ts";
import { autotune } from "./schema.ts";

const CHANNELS = 64;
const SIDE = 24;
const DIMS = [1, CHANNELS, SIDE, SIDE];
const NET = { channels: CHANNELS, side: SIDE, kernel: 3 };

function frames(count: number): TensorItem[] {
  return Array.from({ length: count }, (_, index) => ({
    frame: { id: `${index}.jpg`, index, width: 24, height: 24 },
    tensors: { "": { dataType: DataType.FLOAT, dims: DIMS, data: noise(CHANNELS * 576, index + 7) } },
  }));
}

type Options = Partial<Parameters<NodeWorkspace["run"]>[1]> & { readonly count?: number };

async function tuned(workspace: NodeWorkspace, { params, target, count = 8 }: Options) {
  const model = await workspace.artifacts.put("model", await denseNet(NET));
  const inputs = { model, tensors: streamOf(frames(count)), settings: undefined, images: undefined };
  const ran = await workspace.run(run, { inputs, ...(params && { params }), ...(target && { target }) });
  if (!ran.outputs.report || !ran.outputs.model) throw new Error("no report");
  const report = autotuneReport.parse(await workspace.artifacts.readJson(ran.outputs.report));
  return { ...ran, model, tunedModel: ran.outputs.model, report };
}

const orin: DeviceProfile = {
  ...{ ...testTarget, id: "orin", name: "An Orin" },
  ...{ access: "predicted", runtime: "tensorrt", computeCapability: "8.7" },
};

describe("autotune", () => {
  it("reports a front of measured points, chooses one of them, and a click takes another", async () => {
    await using workspace = await openNodeWorkspace();
    const { report, tunedModel, model } = await tuned(workspace, { params: { maxLoss: 2 } });
    expect(report.provenance).toBe("measured");
    const all = [...report.front, ...report.beaten];
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(["original", "float", "weights"]));
    expect(all).toContainEqual(report.chosen);
    expect(report.chosen.speedup).toBeGreaterThanOrEqual(1);
    expect(report.chosen.lossPercent).toBeLessThanOrEqual(2);
    expect(tunedModel.size / model.size).toBeCloseTo(report.chosen.sizeShare, 3);
    const weights = all.find(({ id }) => id === "weights");
    expect(weights?.sizeShare).toBeLessThan(0.3);
    const face = renderFace(Face, { report, large: true });
    for (const { id } of all) expect(face).toContain(`take ${id}`);
  });

  it("makes the point that is taken, and searches nothing", async () => {
    await using workspace = await openNodeWorkspace();
    const { report } = await tuned(workspace, { params: { take: ["int8", "second"] } });
    expect(report.chosen.id).toBe("int8-1");
    expect(report.chosen.take).toEqual(["int8", "second"]);
    expect(report.layers.filter(({ form }) => form === "int8").map(({ node }) => node)).toEqual(["second"]);
    const points = (list: readonly PointReport[]) => list.map(({ id }) => id);
    expect([...points(report.front), ...points(report.beaten)].sort()).toEqual(["float", "int8-1", "original"]);
  });

  it("refuses a take of layers that the model does not have, with the name that was meant", async () => {
    await using workspace = await openNodeWorkspace();
    const taken = tuned(workspace, { params: { take: ["int8", "second", "thrid"] } });
    await expect(taken).rejects.toMatchObject({ code: "unknown-node", fix: expect.stringContaining('"third"') });
  });

  it("gives the model back as it came where that is taken", async () => {
    await using workspace = await openNodeWorkspace();
    const { tunedModel, model } = await tuned(workspace, { params: { take: ["original"] } });
    expect(tunedModel).toEqual(model);
  });

  it("says what to set where nothing is fast enough", async () => {
    await using workspace = await openNodeWorkspace();
    const params = { objective: "truest", maxMs: 1e-6 } as const;
    await expect(tuned(workspace, { params })).rejects.toMatchObject({ code: "too-slow", fix: /maxMs/ });
  });

  it("estimates for a device that is not here, and says so", async () => {
    await using workspace = await openNodeWorkspace();
    const { report } = await tuned(workspace, { params: { layout: "tensorrt", maxLoss: 5 }, target: orin });
    expect(report.provenance).toBe("estimated");
    // So small a network is all launches there: integers gain nothing, and the smaller file is what is left to gain.
    expect(report.chosen.id).toBe("weights");
    expect(report.chosen.speedup).toBeCloseTo(1, 6);
  });

  it("refuses a layout that is not for the target", async () => {
    await using workspace = await openNodeWorkspace();
    await expect(tuned(workspace, { params: { layout: "tensorrt" } })).rejects.toMatchObject({ code: "layout-target" });
    await expect(tuned(workspace, { target: orin })).rejects.toMatchObject({ code: "layout-target" });
  });

  it("warns of few frames, and refuses none", async () => {
    await using workspace = await openNodeWorkspace();
    const { warnings } = await tuned(workspace, { count: 1, params: { take: ["weights"] } });
    expect(warnings.join()).toContain("1 frames are few");
    await expect(tuned(workspace, { count: 0 })).rejects.toMatchObject({ code: "no-frames" });
  });

  it("finds a take that names no form before it runs", () => {
    const params = autotune.params.parse({ take: ["conv"] });
    expect(autotune.check?.(params, { wired: {} })).toMatchObject([{ code: "bad-take", severity: "error" }]);
  });
});

it.each([1, 2, 3])(
  "takes documents of version %i along as they are (hard-frames-decide, floats-stay-floats, constants-in-the-reference)",
  (version) => {
    expect(autotune.migrations[version]?.up({ maxMs: 5 })).toEqual({ maxMs: 5 });
  },
);
