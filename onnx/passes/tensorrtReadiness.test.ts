import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dataPath, testData } from "../../test/support/data.ts";
import { tensorrtCases } from "../../test/support/tensorrtCases.ts";
import { inferShapes } from "../infer.ts";
import { memorySource } from "../ir/tensor.ts";
import { readModel } from "../serde.ts";
import { tensorrtReadiness } from "./tensorrtReadiness.ts";

const sm86 = { computeCapabilities: ["8.6"], builder: "tensorrt-rtx" } as const;

describe("tensorrtReadiness", () => {
  it.each(tensorrtCases())("$name: $errors", async ({ model, errors, shapes = {} }) => {
    inferShapes(model);
    const problems = await tensorrtReadiness(model, { ...sm86, shapes });
    expect(problems.filter(({ severity }) => severity === "error").map(({ code }) => code)).toEqual(errors);
    for (const { message, fix } of problems) expect(message && fix).toBeTruthy();
  });

  it("warns of a plugin where the builder is not known", async () => {
    const nonZero = tensorrtCases().find(({ name }) => name === "NonZero");
    if (!nonZero) throw new Error("no such case");
    const problems = await tensorrtReadiness(nonZero.model, { computeCapabilities: ["8.7"] });
    expect(problems).toMatchObject([{ code: "plugin-operator", severity: "warning", node: "node_of_nonzero_0" }]);
  });

  it("warns that INT8 runs in float on compute capability 7.5", async () => {
    const int8 = tensorrtCases().find(({ name }) => name === "signed symmetric INT8");
    if (!int8) throw new Error("no such case");
    const problems = await tensorrtReadiness(int8.model, { computeCapabilities: ["7.5", "8.6"] });
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([["int8-on-sm75", "warning"]]);
  });
});

describe.skipIf(!testData)("tensorrtReadiness on real models (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each(["fastestdet", "yolox-nano", "rfb-320"])("finds nothing wrong with %s", async (name) => {
    const model = await readModel(memorySource(readFileSync(dataPath("models", `${name}.onnx`))));
    inferShapes(model);
    expect(await tensorrtReadiness(model, sm86)).toEqual([]);
  });
});
