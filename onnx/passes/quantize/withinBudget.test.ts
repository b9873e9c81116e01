import { expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { PLAIN } from "../../../test/support/quantizing.ts";
import { tinyTransformer, transformerItems } from "../../../test/support/tinyTransformer.ts";
import { cloneModel } from "../../cloneModel.ts";
import { modelBytes } from "../../serde.ts";
import { layerInputs } from "./layerInputs.ts";
import { OutputReference } from "./outputReference.ts";
import { prepareForQuantization } from "./prepare.ts";
import { quantize } from "./quantize.ts";
import { withinBudget } from "./withinBudget.ts";

const evaluator = createOrtEvaluator({ tempDir: "/nowhere" });
const options = { ...PLAIN, format: "int4" } as const;

async function float() {
  const model = tinyTransformer("bert", 17);
  await prepareForQuantization(model, {});
  return model;
}

async function at(spared: ReadonlySet<string>, how: Partial<Parameters<typeof quantize>[1]> = {}) {
  const original = await float();
  const model = cloneModel(original);
  const { layers } = await quantize(model, { ...options, ...how, spared });
  const reference = await OutputReference.of(original, transformerItems("bert", 12), { evaluator });
  return { layers, bytes: (await modelBytes(model)).length, ...(await reference.measure(model)) };
}

it("spends a size on the layers that lose most, tables among them, and is truer for it", {
  timeout: 60_000,
}, async () => {
  const coarse = await at(new Set());
  const fine = await at(new Set(coarse.layers.map(({ node }) => node)));
  expect(fine.layers.every(({ bits }) => bits === 8)).toBe(true);
  const budget = Math.round((coarse.bytes + fine.bytes) / 2);
  const noise = async (spared: ReadonlySet<string>) => 10 ** (-(await at(spared)).meanDb / 10);
  const chosen = await withinBudget(float, options, { maxBytes: budget, noise });
  const mixed = await at(chosen);
  expect(mixed.bytes).toBeLessThanOrEqual(budget);
  expect(mixed.bytes).toBeGreaterThan(coarse.bytes);
  expect(new Set(mixed.layers.map(({ bits }) => bits))).toEqual(new Set([4, 8]));
  expect(mixed.meanDb).toBeGreaterThan(coarse.meanDb);
  expect(fine.meanDb).toBeGreaterThan(mixed.meanDb);
});

it("goes by the layers' own errors where nothing measures the outputs", { timeout: 60_000 }, async () => {
  const inputs = layerInputs(await float(), transformerItems("bert", 8), { evaluator });
  const coarse = await at(new Set(), { inputs });
  const chosen = await withinBudget(float, { ...options, inputs }, { maxBytes: coarse.bytes * 1.2 });
  expect(chosen.size).toBeGreaterThan(0);
  expect((await at(chosen, { inputs })).bytes).toBeLessThanOrEqual(coarse.bytes * 1.2);
});

it("says so where 4 bits are too many already, or no error is known", async () => {
  await expect(withinBudget(float, options, { maxBytes: 1000 })).rejects.toMatchObject({ code: "over-budget" });
  await expect(withinBudget(float, { ...options, streamFrom: 1 }, { maxBytes: 1e9 })).rejects.toMatchObject({
    code: "budget-streamed",
  });
});
