import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { type TransformerShape, tinyTransformer, transformerItems } from "../../../test/support/tinyTransformer.ts";
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Calibrator } from "../calibrate/calibrate.ts";
import type { Format } from "./format.ts";
import { layerInputs } from "./layerInputs.ts";
import type { LayoutName } from "./layout.ts";
import { OutputReference } from "./outputReference.ts";
import { prepareForQuantization } from "./prepare.ts";
import { type QuantizeOptions, quantize } from "./quantize.ts";

let tempDir = "";
let evaluator: Evaluator;
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "transformers-"));
  evaluator = createOrtEvaluator({ tempDir });
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

const FRAMES = 40;
const FITTING = 32;

interface Job {
  readonly shape: TransformerShape;
  readonly opset?: number;
  readonly format: Format;
  readonly layout?: LayoutName;
  /** Whether frames tell what layers read. */
  readonly seen?: boolean;
  readonly options?: Partial<QuantizeOptions>;
}

async function quantized({ shape, opset = 17, format, layout = "onnxruntime-x86", seen = true, options }: Job) {
  const open = async () => {
    const model = tinyTransformer(shape, opset);
    await prepareForQuantization(model, {});
    return model;
  };
  const items = transformerItems(shape, FRAMES);
  const fitting = items.slice(0, FITTING);
  const float = await open();
  await using calibrator = await Calibrator.open(float, evaluator);
  for (const feeds of fitting) await calibrator.observe(feeds);
  const { table } = calibrator.finish("minmax");
  const model = await open();
  const result = await quantize(model, {
    format,
    layout,
    keepFloat: [],
    minSqnrDb: 0,
    io: "float32",
    blockSize: 16,
    ...(seen && { table, inputs: layerInputs(float, fitting, { evaluator }) }),
    ...options,
  });
  return { model, result, sqnrDb: await medianDb(float, model, items.slice(FITTING)) };
}

/** Of one frame of random weights attention may sit on an edge, where any rounding turns it: the median does not. */
async function medianDb(float: Model, model: Model, frames: readonly HostTensors[]): Promise<number> {
  const each: number[] = [];
  for (const frame of frames) {
    const reference = await OutputReference.of(float, [frame], { evaluator });
    each.push((await reference.measure(model)).meanDb);
  }
  return each.sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0;
}

const count = (model: Awaited<ReturnType<typeof quantized>>["model"], opType: string) =>
  model.graph.nodes.filter((node) => node.opType === opType).length;

describe.each(["bert", "vit"] as const)("%s of random weights", (shape) => {
  it.each([11, 13, 17, 21])(
    "keeps its outputs in every form, from operator set %i",
    { timeout: 60_000 },
    async (opset) => {
      const db = async (format: Format, layout: LayoutName) =>
        (await quantized({ shape, opset, format, layout })).sqnrDb;
      expect(await db("int8-dynamic", "onnxruntime-x86")).toBeGreaterThan(25);
      expect(await db("int4", "onnxruntime-x86")).toBeGreaterThan(14);
      expect(await db("int4", "tensorrt")).toBeGreaterThan(14);
    },
  );

  it("divides outlying channels where ranges are taken at each run", { timeout: 60_000 }, async () => {
    const even = await quantized({ shape, format: "int8-dynamic" });
    const plain = await quantized({ shape, format: "int8-dynamic", seen: false });
    expect(even.sqnrDb).toBeGreaterThan(plain.sqnrDb + 3);
  });

  it("rounds 4 bits by what they multiply", { timeout: 60_000 }, async () => {
    const fitted = await quantized({ shape, format: "int4" });
    const nearest = await quantized({ shape, format: "int4", seen: false });
    expect(fitted.sqnrDb).toBeGreaterThan(nearest.sqnrDb + 1);
  });
});

it("a layer that 4 bits serve badly multiplies from 8", async () => {
  const { model, result, sqnrDb } = await quantized({ shape: "bert", format: "int4", options: { minSqnrDb: 60 } });
  expect(new Set(result.layers.filter(({ opType }) => opType === "MatMul").map(({ bits }) => bits))).toEqual(
    new Set([8]),
  );
  expect(count(model, "MatMulNBits")).toBe(12);
  expect(sqnrDb).toBeGreaterThan(20);
});

it("a second try of the same frames takes the rounding of the first", async () => {
  const float = tinyTransformer("bert", 17);
  await prepareForQuantization(float, {});
  let visits = 0;
  const inner = layerInputs(float, transformerItems("bert", 4), { evaluator });
  const inputs: typeof inner = {
    each(names, see) {
      visits++;
      return inner.each(names, see);
    },
  };
  const options = { format: "int4", layout: "onnxruntime-x86", keepFloat: [], minSqnrDb: 0, io: "float32" } as const;
  for (let i = 0; i < 2; i++) {
    const model = tinyTransformer("bert", 17);
    await prepareForQuantization(model, {});
    await quantize(model, { ...options, blockSize: 32, inputs });
  }
  expect(visits).toBe(1);
});

it("writes residuals as sums before a normalisation, for ONNX Runtime alone", async () => {
  const forRuntime = await quantized({ shape: "bert", format: "int4" });
  expect(count(forRuntime.model, "Sum")).toBe(4);
  expect(count((await quantized({ shape: "bert", format: "int4", layout: "tensorrt" })).model, "Sum")).toBe(0);
});
