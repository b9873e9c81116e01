/** The built-in detector's card tells the truth about the file beside it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DECODERS, gridsOf } from "../../nodes/nms/decoders.ts";
import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import { memorySource } from "../../onnx/ir/tensor.ts";
import { readModel } from "../../onnx/serde.ts";

const folder = fileURLToPath(new URL("../../models/person-nano/", import.meta.url));
const card = await readFile(`${folder}README.md`, "utf8");
const bytes = await readFile(`${folder}person-nano.onnx`);
const model = await readModel(memorySource(bytes));

describe("person-nano", () => {
  it("is the file that its card names, of at most 1 MB", () => {
    expect(card).toContain(createHash("sha256").update(bytes).digest("hex"));
    expect(bytes.length).toBeLessThanOrEqual(1_000_000);
  });

  it("has the input, output, parameters and multiply-accumulates of its card", () => {
    inferShapes(model);
    const { macs, parameters } = modelCost(model);
    const [input, ...inputs] = model.graph.inputs;
    const [output, ...outputs] = model.graph.outputs;
    const [, , height = 0, width = 0] = (input?.type?.shape ?? []).map(Number);
    expect([inputs.length, outputs.length, input?.name, output?.name]).toEqual([0, 0, "images", "cells"]);
    expect(input?.type?.shape).toEqual([1, 3, height, width]);
    const [, cells = 0] = (output?.type?.shape ?? []).map(Number);
    expect(output?.type?.shape).toEqual([1, cells, 6]);
    expect(gridsOf(DECODERS.yolox, cells, { inputWidth: width, inputHeight: height })).toBeDefined();
    expect(card).toContain(`[1, 3, ${height}, ${width}]`);
    expect(card).toContain(`[${output?.type?.shape?.join(", ")}]`);
    expect(card).toContain(`${parameters.toLocaleString("en")} in the file`);
    expect(card).toContain(`${((macs ?? 0) / 1e6).toFixed(1)} million a picture`);
  });

  it("has what passes meet in a YOLO: a residual, a concatenation, an upsample, a pool, depthwise convolutions", () => {
    const ops = new Set(model.graph.nodes.map(({ opType }) => opType));
    for (const op of ["Conv", "Relu", "Add", "Concat", "Resize", "MaxPool", "Sigmoid"]) expect(ops).toContain(op);
    const groups = model.graph.nodes.map((node) => node.int("group") ?? 1);
    expect(Math.max(...groups)).toBeGreaterThan(1);
  });
});
