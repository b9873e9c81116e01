import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { noiseTensor } from "../../test/support/outputs.ts";
import { modelFrom, recipes } from "../../test/support/randomGraph.ts";
import { cloneModel } from "../cloneModel.ts";
import { DataType } from "../ir/dataType.ts";
import { Graph, Model } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { joinModels } from "./jointModel.ts";
import { outputDifference } from "./outputDifference.ts";
import { simplify } from "./simplify/simplify.ts";

const evaluator = createOrtEvaluator({ tempDir: "/nowhere" });
const asWritten = { asWritten: true };

/** relu(x) * 2 + 1, by an Identity where asked; the factor is 3 where it is wrong. */
function small({ identity, factor = 2 }: { identity?: boolean; factor?: number }): Model {
  const graph = new Graph("small");
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 4] });
  const relu = graph.addNode({ opType: "Relu", inputs: [x], outputs: ["r"] }).output();
  const same = identity ? graph.addNode({ opType: "Identity", inputs: [relu], outputs: ["i"] }).output() : relu;
  const two = graph.addInitializer("two", Tensor.f32([1], [factor]));
  const twice = graph.addNode({ opType: "Mul", inputs: [same, two], outputs: ["m"] }).output();
  const one = graph.addInitializer("one", Tensor.f32([1], [1]));
  graph.addOutput(graph.addNode({ opType: "Add", inputs: [twice, one], outputs: ["y"] }).output());
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  return model;
}

describe("two models as one", () => {
  it("computes what they share once", async () => {
    const reference = small({});
    const joint = await joinModels(reference, cloneModel(reference));
    expect(joint?.model.graph.nodes.map(({ opType }) => opType)).toEqual(["Relu", "Mul", "Add"]);
    expect(joint?.candidate.get("y")).toBe("y");
  });

  it("keeps apart what differs, behind what they share", async () => {
    const reference = small({ identity: true });
    const candidate = small({ factor: 3 });
    const joint = await joinModels(reference, candidate);
    expect(joint?.model.graph.nodes.map(({ opType }) => opType)).toEqual(["Relu", "Mul", "Add", "Mul", "Add"]);
    const items = [{ x: noiseTensor([1, 4], 1) }];
    const { y } = await outputDifference({ reference, candidate }, items, evaluator);
    expect(y?.relative).toBeGreaterThan(0.05);
  });

  it("is none where operator sets, inputs or bodies make them two programs", async () => {
    const newer = small({});
    newer.opsetImports.set("", 18);
    expect(await joinModels(small({}), newer)).toBeUndefined();
    const other = small({});
    other.graph.addInput("z", { elemType: DataType.FLOAT, shape: [1] });
    expect(await joinModels(small({}), other)).toBeUndefined();
  });

  it("gives the outputs that each gives alone, on random graphs", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const reference = modelFrom(recipe);
        const candidate = cloneModel(reference);
        await simplify().run(candidate, { evaluator });
        const joint = await joinModels(reference, candidate);
        if (!joint) return;
        const feeds = { input: noiseTensor([1, 4, 8, 8], recipe.seed) };
        await using together = await evaluator.open(joint.model, asWritten);
        await using first = await evaluator.open(reference, asWritten);
        await using second = await evaluator.open(candidate, asWritten);
        const both = await together.run(feeds);
        for (const [name, { data }] of Object.entries(await first.run(feeds))) expect(both[name]?.data).toEqual(data);
        for (const [name, { data }] of Object.entries(await second.run(feeds)))
          expect(both[joint.candidate.get(name) ?? ""]?.data).toEqual(data);
      }),
      { numRuns: 30 },
    );
  });
});
