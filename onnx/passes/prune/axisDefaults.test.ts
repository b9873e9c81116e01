/** Operators whose axis is not written down: what they mix stays, what they leave apart may leave, and it comes out right. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose, noise, noiseTensor, outputsOf } from "../../../test/support/outputs.ts";
import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { cutUnits } from "./cut.ts";
import { solveDependencies } from "./groups.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "axes-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

const CHANNELS = 8;

interface Case {
  readonly opType: string;
  readonly opset: number;
  readonly attributes?: Record<string, number>;
  /** A second input: an empty list of axes. */
  readonly emptyAxes?: true;
  /** Units of the layer in front. */
  readonly units: number;
  readonly pinnedBy?: string;
}

/** Conv -> the operator -> summed with its input -> Conv; `silent`: channels that the last layer does not read. */
function between({ opType, opset, attributes = {}, emptyAxes }: Case, silent: readonly number[] = []): Model {
  const graph = new Graph("axes");
  const model = new Model(graph);
  model.opsetImports.set("", opset);
  const op = (type: string, inputs: readonly (string | undefined)[], extra: Record<string, number> = {}) => {
    const values = inputs.map((name) => (name === undefined ? null : (graph.values.get(name) ?? null)));
    const name = `n${graph.nodes.length}`;
    return graph.addNode({ opType: type, name, inputs: values, outputs: [`${name}_y`], attributes: extra }).output()
      .name;
  };
  graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 3, 6, 5] });
  graph.addInitializer("first", Tensor.f32([CHANNELS, 3, 1, 1], noise(CHANNELS * 3, 1)));
  const last = noise(4 * CHANNELS, 2).map((w, at) => (silent.includes(at % CHANNELS) ? 0 : w));
  graph.addInitializer("last", Tensor.f32([4, CHANNELS, 1, 1], last));
  graph.addInitializer("none", Tensor.i64([0], []));
  const a = op("Conv", ["x", "first"]);
  const b = op("Cast", [op(opType, [a, ...(emptyAxes ? ["none"] : [])], attributes)], { to: DataType.FLOAT });
  const y = op("Conv", [op("Add", [a, b]), "last"]);
  const output = graph.values.get(y);
  if (output) graph.addOutput(output);
  return model;
}

const CASES: readonly Case[] = [
  { opType: "ArgMax", opset: 13, units: CHANNELS },
  { opType: "ArgMin", opset: 11, units: CHANNELS },
  { opType: "ArgMax", opset: 13, attributes: { axis: -3 }, units: 0, pinnedBy: "ArgMax mixes them" },
  { opType: "Softmax", opset: 13, units: CHANNELS },
  { opType: "LogSoftmax", opset: 17, attributes: { axis: 2 }, units: CHANNELS },
  { opType: "Softmax", opset: 13, attributes: { axis: 1 }, units: 0, pinnedBy: "Softmax mixes them" },
  { opType: "Softmax", opset: 11, units: 0, pinnedBy: "Softmax mixes them" },
  { opType: "Hardmax", opset: 11, attributes: { axis: 2 }, units: CHANNELS },
  { opType: "ReduceSum", opset: 13, units: 0, pinnedBy: "ReduceSum mixes them" },
  { opType: "ReduceSum", opset: 13, emptyAxes: true, units: 0, pinnedBy: "ReduceSum mixes them" },
  { opType: "ReduceMax", opset: 18, emptyAxes: true, units: 0, pinnedBy: "ReduceMax mixes them" },
];

describe("axes by default", () => {
  it.each(CASES)("$opType of opset $opset, $attributes", async (which) => {
    const model = between(which);
    inferShapes(model);
    const { groups, pinned } = solveDependencies(model);
    expect(groups.map(({ units }) => units.length)).toEqual(which.units > 0 ? [which.units] : []);
    if (which.pinnedBy) {
      expect(pinned[0]?.reason).toBe(which.pinnedBy);
      return;
    }
    await cutUnits(model, groups[0]?.units.slice(2, 5) ?? []);
    const feeds = { x: noiseTensor([1, 3, 6, 5]) };
    const silent = await outputsOf(between(which, [2, 3, 4]), feeds, tempDir);
    expectClose(silent, await outputsOf(model, feeds, tempDir), { rtol: 1e-5 });
  });
});
