import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Model } from "../../onnx/ir/graph.ts";
import { memorySource, Tensor } from "../../onnx/ir/tensor.ts";
import { readModel } from "../../onnx/serde.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { noiseTensor } from "../../test/support/outputs.ts";
import { modelFrom, type Step } from "../../test/support/randomGraph.ts";
import { renderFace } from "../../test/support/renderFace.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { accuracyNotes } from "./accuracyNotes.ts";
import { goalNotes } from "./channels.ts";
import { Face } from "./face.tsx";
import { collectItems } from "./items.ts";
import { latencyNotes } from "./latency.ts";
import { pruneReport } from "./report.ts";
import { run } from "./run.ts";
import { prune } from "./schema.ts";

function network(): Model {
  const steps: Step[] = ["conv", "relu", "depthwise", "relu", "conv", "relu", "shuffle", "conv", "relu", "addSkip"];
  return modelFrom({ seed: 5, steps: steps.map((step) => ({ step, pick: 3 })) });
}

function itemsOf(dims: readonly number[], count: number): TensorItem[] {
  return Array.from({ length: count }, (_, index) => ({
    frame: { id: `${index}.png`, index, width: 8, height: 8 },
    tensors: { "": noiseTensor(dims, index + 1) },
  }));
}

const maskSchema = z.object({
  kind: z.string(),
  tensors: z.array(
    z.object({ name: z.string(), shape: z.array(z.number()), kept: z.record(z.string(), z.array(z.number())) }),
  ),
  groups: z.array(z.object({ units: z.array(z.object({ kept: z.boolean() })) })),
});

const bitsSchema = z.object({
  tensors: z.array(z.object({ name: z.string(), shape: z.array(z.number()), keptBits: z.string() })),
});
const blocksSchema = z.object({
  blocks: z.array(z.object({ name: z.string(), kept: z.boolean(), tensors: z.array(z.string()) })),
});

interface PruneParams {
  readonly method?: "channels" | "blocks" | "low-rank" | "2:4" | "unstructured";
  readonly macs?: number;
  readonly latency?: number;
  readonly scope?: "global" | "layer";
  readonly sparsity?: number;
  readonly importance?: "auto" | "energy" | "l1" | "l2";
  readonly multiple?: number;
  readonly repair?: boolean;
}

/** Runs the node, opens what it made in the runtime, and returns the report. */
async function pruned(model: Model, params: PruneParams, items?: readonly TensorItem[]) {
  await using workspace = await openNodeWorkspace();
  const ref = await workspace.artifacts.saveModel(model);
  const tensors = items && streamOf(items);
  const { outputs, warnings } = await workspace.run(run, { inputs: { model: ref, tensors }, params });
  if (!outputs.model || !outputs.report) throw new Error("an output is missing");
  const json = await workspace.artifacts.readJson(outputs.report);
  const mask = outputs.mask && (await workspace.artifacts.readJson(outputs.mask));
  return {
    mask,
    report: pruneReport.parse(json),
    json: Object.fromEntries(Object.entries(json ?? {})),
    warnings,
  };
}

const IMAGE = [1, 4, 8, 8];

describe("prune", () => {
  it("keeps the asked share of the work and says that it could not repair", async () => {
    const { report } = await pruned(network(), { macs: 0.6, multiple: 1 });
    expect(Math.abs(report.macsShare - 0.6)).toBeLessThan(0.03);
    expect(report.macs?.after).toBeCloseTo((report.macs?.before ?? 0) * report.macsShare, 3);
    expect(report.parameters.after).toBeLessThan(report.parameters.before);
    expect(report.importance).toBe("l2");
    expect(report.repair).toMatchObject({ status: "skipped", reason: "no tensors are wired to refit on" });
    expect(report.heldBack).toBeUndefined();
  });

  it("repairs on the stream, and is nearer to the original for it on held-back items", async () => {
    const items = itemsOf(IMAGE, 40);
    const plain = await pruned(network(), { macs: 0.7, multiple: 1, importance: "l2", repair: false }, items);
    const repaired = await pruned(network(), { macs: 0.7, multiple: 1, importance: "l2" }, items);
    const worst = ({ report }: typeof plain) =>
      Math.min(...Object.values(report.heldBack?.outputs ?? {}).map(({ sqnrDb }) => sqnrDb ?? Number.NaN));
    expect(repaired.report.macsShare).toBe(plain.report.macsShare);
    expect(repaired.report.heldBack?.items).toBe(8);
    expect(repaired.report.repair.layers.length).toBeGreaterThan(0);
    expect(worst(repaired)).toBeGreaterThan(worst(plain) + 2);
  });

  it("sets the smallest weights to zero, and is honest about what that gains", async () => {
    const { report, warnings } = await pruned(network(), { method: "unstructured", sparsity: 0.6 });
    const zeros = report.sparse?.reduce((sum, layer) => sum + layer.zeros, 0) ?? 0;
    const weights = report.sparse?.reduce((sum, layer) => sum + layer.weights, 0) ?? 1;
    expect(zeros / weights).toBeCloseTo(0.6, 2);
    expect(report.deflatedBytes?.after).toBeLessThan(report.deflatedBytes?.before ?? 0);
    expect(report.macs?.after).toBe(report.macs?.before);
    expect(warnings.join()).toContain("not the model faster");
  });

  it("warns where too much is lost, and where nobody measured", async () => {
    const notesAt = (sqnrDb: number) =>
      accuracyNotes(
        { items: 8, outputs: { fine: { sqnrDb: 40, maxAbs: 0 }, boxes: { sqnrDb, maxAbs: 1 } } },
        { method: "channels", items: 32 },
      );
    expect(notesAt(25)).toEqual([]);
    expect(notesAt(13).join()).toContain('Expect worse results: output "boxes" keeps 13.0 dB');
    expect(notesAt(6).join()).toContain("Too much is lost");
    const { report, warnings } = await pruned(network(), { method: "unstructured", sparsity: 0.3 });
    expect(warnings.join()).toContain("not known: wire tensors");
    expect(report.notes).toEqual(warnings);
  });

  it("chooses zeros by what they cost where tensors are wired, and lets the rest make good", async () => {
    const items = itemsOf(IMAGE, 20);
    const { report } = await pruned(network(), { method: "unstructured", sparsity: 0.3 }, items);
    const zeros = report.sparse?.reduce((sum, layer) => sum + layer.zeros, 0) ?? 0;
    const weights = report.sparse?.reduce((sum, layer) => sum + layer.weights, 0) ?? 1;
    expect(zeros / weights).toBeCloseTo(0.3, 2);
    const worst = Math.min(...Object.values(report.heldBack?.outputs ?? {}).map(({ sqnrDb }) => sqnrDb ?? Number.NaN));
    expect(worst).toBeGreaterThan(12);
  });

  it("times the model before and after, and says where that gains nothing", async () => {
    const { report } = await pruned(network(), { macs: 0.6, multiple: 1 });
    expect(report.latency?.target).toBe("local-cpu");
    expect(report.latency?.measuredMs?.before).toBeGreaterThan(0);
    expect(report.latency?.predictedMs?.after).toBeLessThanOrEqual(report.latency?.predictedMs?.before ?? 0);
    const times = (before: number, after: number) => ({ target: "orin", predictedMs: { before, after } });
    expect(latencyNotes(times(10, 8), 0.88)).toEqual([]);
    expect(latencyNotes(times(10, 9.96), 0.88)).toEqual([
      "12 % fewer multiply-adds, 0 % faster (predicted for orin): keep it off.",
    ]);
    const measured = { ...times(10, 8), measuredMs: { before: 10, after: 11 } };
    expect(latencyNotes(measured, 0.88).join()).toContain("10 % slower (measured on this machine)");
    expect(latencyNotes(undefined, 0.5)).toEqual([]);
  });

  it("hands out what is left of each tensor", async () => {
    const { mask, report } = await pruned(network(), { macs: 0.6, multiple: 1 });
    const { kind, tensors, groups } = maskSchema.parse(mask);
    expect(kind).toBe("prune-mask");
    expect(tensors.some(({ kept }) => Object.keys(kept).length > 0)).toBe(true);
    const left = groups.reduce((sum, { units }) => sum + units.filter(({ kept }) => kept).length, 0);
    expect(left).toBeLessThan(groups.reduce((sum, { units }) => sum + units.length, 0));
    expect(report.groups.length).toBeGreaterThan(0);
  });

  it.each(["blocks", "low-rank", "2:4"] as const)("method %s: a model that runs, and its face", async (method) => {
    const params = { method, macs: 0.9, multiple: 2 };
    const { report, json } = await pruned(network(), params, itemsOf(IMAGE, 10));
    expect(report.method).toBe(method);
    expect(Object.keys(report.heldBack?.outputs ?? {})).toHaveLength(1);
    const html = renderFace(Face, { report: json, large: true });
    expect(html).toContain({ blocks: "of the multiply-adds", "low-rank": "rank", "2:4": "% zero" }[method]);
    expect(renderFace(Face, { report: json })).toContain("<rect");
  });

  it("hands out a mask of every method: what is left and what is gone", async () => {
    const items = itemsOf(IMAGE, 10);
    for (const method of ["2:4", "unstructured"] as const) {
      const { mask, report } = await pruned(network(), { method }, items);
      const { tensors } = bitsSchema.parse(mask);
      const ones = tensors.map(({ keptBits }) =>
        Buffer.from(keptBits, "base64").reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0),
      );
      expect(tensors.map(({ shape }) => shape.reduce((a, b) => a * b))).toEqual(report.sparse?.map((s) => s.weights));
      expect(ones).toEqual(report.sparse?.map(({ weights, zeros }) => weights - zeros));
    }
    const blocks = await pruned(network(), { method: "blocks", macs: 0.9 }, items);
    const parsed = blocksSchema.parse(blocks.mask);
    expect(parsed.blocks.map(({ kept }) => !kept)).toEqual(blocks.report.blocks?.map(({ removed }) => removed));
    expect(parsed.blocks[0]?.tensors.length).toBeGreaterThan(0);
    const thin = await pruned(network(), { method: "low-rank", macs: 0.9, multiple: 2 }, items);
    const left = thin.report.ranks?.flatMap(({ node, rank }) => (rank === undefined ? [] : [{ nodes: [node], rank }]));
    expect(left?.length).toBeGreaterThan(0);
    expect(thin.mask).toMatchObject({ kind: "prune-mask", method: "low-rank", tensors: left });
  });

  it.each(["channels", "blocks", "low-rank", "2:4", "unstructured"] as const)(
    "method %s: says of a quantized model that it is one, and what to do",
    async (method) => {
      const model = network();
      const { graph } = model;
      const [input] = graph.inputs;
      const scale = graph.addInitializer("scale", Tensor.f32([], [0.1]));
      const node = graph.addNode({
        opType: "QuantizeLinear",
        name: "q",
        inputs: [input ?? null, scale],
        outputs: ["q"],
      });
      graph.addOutput(node.output());
      const refused = pruned(model, { method }, itemsOf(IMAGE, 4));
      await expect(refused).rejects.toMatchObject({
        code: "already-quantized",
        message: expect.stringContaining('QuantizeLinear "q"'),
        fix: expect.stringContaining("Prune before quantizing"),
      });
    },
  );

  it("says of one item that none is left to measure on", async () => {
    const { warnings } = await pruned(network(), { macs: 0.8, multiple: 1 }, itemsOf(IMAGE, 1));
    expect(warnings.join()).toContain("none is left to measure it on");
    expect(warnings.join()).not.toContain("wire tensors");
  });

  it("warns of items that are all alike", async () => {
    const alike = itemsOf(IMAGE, 6).map((item) => ({ ...item, tensors: { "": noiseTensor(IMAGE, 1) } }));
    const { warnings } = await pruned(network(), { macs: 0.8, multiple: 1 }, alike);
    expect(warnings.join()).toContain("All 6 items on tensors are alike");
    const { warnings: none } = await pruned(network(), { macs: 0.8, multiple: 1 }, itemsOf(IMAGE, 6));
    expect(none.join()).not.toContain("alike");
  });

  it("says why multiply-adds and times are absent where a size is open", async () => {
    const model = network();
    const [input] = model.graph.inputs;
    if (input?.type) input.type = { ...input.type, shape: ["batch", 4, 8, 8] };
    const { report } = await pruned(model, { macs: 0.8, multiple: 1 }, itemsOf(IMAGE, 4));
    expect(report.macs).toBeUndefined();
    expect(report.latency).toBeUndefined();
    expect(report.notes.join()).toContain('input "input" is [batch, 4, 8, 8]');
  });

  it("wants tensors to know what a block does", async () => {
    await expect(pruned(network(), { method: "blocks" })).rejects.toMatchObject({ code: "needs-tensors" });
  });

  it("cuts to the time that a device is predicted to take, and says where that is out of reach", async () => {
    await expect(pruned(network(), { latency: 0.1 })).rejects.toMatchObject({ code: "latency-out-of-reach" });
  });

  it("says why the goal is missed: steps of the multiple, units that are large, or nothing left to take", () => {
    const note = (share: number, ...groups: { kept: number; step: number }[]) =>
      goalNotes(share, { macs: 0.5, multiple: 8 }, groups).join();
    expect(note(0.495, { kept: 4, step: 1 })).toBe("");
    expect(note(0.46, { kept: 16, step: 8 })).toContain("a smaller multiple comes nearer");
    expect(note(0.46, { kept: 16, step: 1 })).toContain("no cut that comes nearer was found");
    expect(note(0.52, { kept: 16, step: 1 })).toContain("52.0 % of the multiply-adds are left, not 50.0 %");
    expect(note(0.52, { kept: 16, step: 1 })).not.toContain("multiple comes");
    expect(note(0.8, { kept: 8, step: 8 })).toContain("no more can leave");
  });

  it("says why a layer stays", async () => {
    const { report } = await pruned(network(), { macs: 0.9, multiple: 1 });
    expect(report.pinned.map((entry) => entry.reason).join()).toContain("output");
  });

  it("refuses a model that has nothing to prune, with what to do", async () => {
    const model = modelFrom({ seed: 1, steps: [] });
    const first = model.graph.nodes[0]?.output();
    if (first) model.graph.addOutput(first);
    await expect(pruned(model, {})).rejects.toMatchObject({ code: "nothing-to-prune" });
  });

  it("wants tensors for importance by energy before it runs", () => {
    const params = prune.params.parse({ importance: "energy" });
    expect(prune.check?.(params, { wired: {} })).toMatchObject([{ code: "needs-tensors", severity: "error" }]);
    expect(prune.check?.(params, { wired: { tensors: [{ type: "preprocess", params: {} }] } })).toEqual([]);
  });

  it("holds a fifth back, or one of a few", async () => {
    const feeds = [{ name: "input" }];
    const many = await collectItems(streamOf(itemsOf(IMAGE, 100)), feeds);
    expect([many.fit.length, many.heldBack.length]).toEqual([32, 8]);
    const two = await collectItems(streamOf(itemsOf(IMAGE, 2)), feeds);
    expect([two.fit.length, two.heldBack.length]).toEqual([1, 1]);
    const one = await collectItems(streamOf(itemsOf(IMAGE, 1)), feeds);
    expect([one.fit.length, one.heldBack.length]).toEqual([1, 0]);
  });

  it("draws its result", async () => {
    const { json } = await pruned(network(), { macs: 0.6, multiple: 1 });
    expect(renderFace(Face, { report: json })).toContain("of MACs");
    expect(renderFace(Face, { report: json, large: true })).toContain(" of 16");
    expect(renderFace(Face, {})).toBe("");
  });
});

describe.skipIf(!testData)("prune on real detectors (needs EDGEWRIGHT_TEST_DATA)", () => {
  const load = (file: string) => readModel(memorySource(readFileSync(dataPath("models", `${file}.onnx`))));
  const detectors = [
    { file: "fastestdet", dims: [1, 3, 352, 352] },
    { file: "rfb-320", dims: [1, 3, 240, 320] },
    { file: "yolox-nano", dims: [1, 3, 416, 416] },
  ];

  /** Ways in which each value comes once; the runtime opens each result and gives the same shapes. */
  const ways = [
    { macs: 0.9, multiple: 8, repair: true },
    { macs: 0.6, multiple: 1, repair: false },
  ];
  const cases = detectors.flatMap((detector) => ways.map((params) => ({ ...detector, params })));

  it.each(cases)("$file, $params: a smaller file that runs", { timeout: 60_000 }, async ({ file, dims, params }) => {
    const { report } = await pruned(await load(file), params, itemsOf(dims, 3));
    expect(report.importance).toBe("energy");
    expect(report.macsShare).toBeLessThanOrEqual(params.macs);
    expect(report.macsShare).toBeGreaterThan(params.macs - 0.05);
    expect(report.sizeBytes.after).toBeLessThan(report.sizeBytes.before);
    const outputs = Object.values(report.heldBack?.outputs ?? {});
    expect(outputs.length).toBeGreaterThan(0);
    for (const { maxAbs } of outputs) expect(Number.isFinite(maxAbs)).toBe(true);
  });

  it("rfb-320: repair brings the outputs nearer", async () => {
    const items = itemsOf([1, 3, 240, 320], 6);
    const sqnr = async (repair: boolean) => {
      const { report } = await pruned(await load("rfb-320"), { macs: 0.81, importance: "l2", repair }, items);
      return report.heldBack?.outputs.boxes?.sqnrDb ?? Number.NaN;
    };
    expect(await sqnr(true)).toBeGreaterThan((await sqnr(false)) + 3);
  });

  it.each(detectors)("$file: half of the weights zero", async ({ file }) => {
    const { report } = await pruned(await load(file), { method: "unstructured", sparsity: 0.5 });
    expect(report.deflatedBytes?.after).toBeLessThan(0.75 * (report.deflatedBytes?.before ?? 0));
  });
});

it("takes documents of version 1 along as they are (channels-by-what-the-outputs-lose)", () => {
  expect(prune.migrations[1]?.up({ macs: 0.8 })).toEqual({ macs: 0.8 });
});
