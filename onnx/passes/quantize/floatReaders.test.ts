/** What is left in float computes in float at the runtime too, whatever it would make of the graph by itself. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noise, noiseTensor, relativeErrors } from "../../../test/support/outputs.ts";
import type { Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { verifyModel } from "../../verify.ts";
import { Calibrator } from "../calibrate/calibrate.ts";
import { type QuantizeOptions, quantize } from "./quantize.ts";

const CHANNELS = 64;
const DIMS = [1, CHANNELS, 8, 8];
let folder: string;
let evaluator: Evaluator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewright-float-readers-"));
  evaluator = createOrtEvaluator({ tempDir: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Conv -> Relu -> (moved about) -> Conv "middle" -> Relu -> Conv; rows of the middle one differ a thousandfold. */
function net(between: "nothing" | "MaxPool" | "Transpose", read = CHANNELS): Model {
  const graph = new Graph("float amidst");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", 13);
  const typed = (value: Value, channels = CHANNELS) => {
    value.type = { elemType: DataType.FLOAT, shape: [1, channels, 8, 8] };
    return value;
  };
  const uneven = Array.from({ length: CHANNELS }, (_, c) => 1000 ** (c / (CHANNELS - 1)));
  const conv = (name: string, input: Value, [outputs, inputs]: readonly [number, number]) => {
    const weights = noise(outputs * inputs, name.length).map((w, i) => {
      const size = name === "middle" ? uneven[Math.floor(i / inputs)] : name === "last" ? uneven[i % inputs] : 1;
      return name === "last" ? w / (size ?? 1) : w * (size ?? 1);
    });
    const weight = graph.addInitializer(`${name}_w`, Tensor.f32([outputs, inputs, 1, 1], weights));
    return graph.addNode({ opType: "Conv", name, inputs: [input, weight], outputs: [`${name}_y`] }).output();
  };
  const relu = (input: Value) => graph.addNode({ opType: "Relu", inputs: [input], outputs: [`${input.name}_r`] });
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  let value = typed(relu(typed(conv("first", x, [read, CHANNELS]), read)).output(), read);
  if (between === "MaxPool") {
    const attributes = { kernel_shape: [1, 1] };
    value = typed(graph.addNode({ opType: "MaxPool", inputs: [value], outputs: ["moved"], attributes }).output());
  }
  if (between === "Transpose") {
    const attributes = { perm: [0, 1, 3, 2] };
    value = typed(graph.addNode({ opType: "Transpose", inputs: [value], outputs: ["moved"], attributes }).output());
  }
  const middle = relu(conv("middle", value, [CHANNELS, read])).output();
  graph.addOutput(typed(conv("last", middle, [CHANNELS, CHANNELS])));
  return model;
}

const OPTIONS = { format: "int8", layout: "onnxruntime-x86", io: "float32", blockSize: 32 } as const;

async function quantized(model: Model, more: Pick<QuantizeOptions, "keepFloat" | "minSqnrDb">) {
  await using calibrator = await Calibrator.open(model, evaluator);
  for (let i = 1; i <= 4; i++) await calibrator.observe({ x: noiseTensor(DIMS, i) });
  const { table } = calibrator.finish("minmax");
  const result = await quantize(model, { ...OPTIONS, ...more, table });
  expect(verifyModel(model)).toEqual([]);
  return result;
}

async function outputs(model: Model, asWritten: boolean) {
  await using session = await evaluator.open(model, { asWritten });
  return await session.run({ x: noiseTensor(DIMS, 9) });
}

describe("a float layer behind integers", () => {
  it.each(["nothing", "MaxPool", "Transpose"] as const)(
    "%s between: the runtime leaves its weights",
    async (between) => {
      const model = net(between);
      await quantized(model, { keepFloat: ["middle"], minSqnrDb: 0 });
      const errors = relativeErrors(await outputs(model, true), await outputs(model, false));
      // Integers may round the other way; weights of one scale for all rows would lose most of them.
      expect(errors.last_y).toBeLessThan(2e-3);
    },
  );

  it("is no float layer where it gains nothing but stands between integers: two conversions would cost more", async () => {
    const amidst = await quantized(net("nothing", 16), { keepFloat: [], minSqnrDb: 1 });
    expect(amidst.kept).toEqual([]);
    const before = await quantized(net("nothing", 16), { keepFloat: ["last"], minSqnrDb: 1 });
    expect(before.kept.map(({ node }) => node)).toEqual(["last", "middle"]);
  });
});
