import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose, noiseTensor, outputsOf } from "../../../test/support/outputs.ts";
import { modelFrom, recipes } from "../../../test/support/randomGraph.ts";
import { inferShapes } from "../../infer.ts";
import type { Model } from "../../ir/graph.ts";
import { memorySource, Tensor } from "../../ir/tensor.ts";
import { modelBytes, readModel } from "../../serde.ts";
import { cutUnits } from "./cut.ts";
import { solveDependencies, type Unit } from "./groups.ts";
import { layersOf } from "./layers.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "prune-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

/** What leaving must mean: nobody behind reads the channel any more. Zeroes the weights that read it, in place. */
async function silence(model: Model, removed: readonly Unit[]): Promise<void> {
  const readers = new Map(layersOf(model.graph).map((layer) => [layer.weight.name, layer.inAxis]));
  for (const { axis, indices } of removed.flat()) {
    const value = model.graph.values.get(axis.value.name);
    const tensor = value?.initializer;
    if (!value || !tensor || readers.get(value.name) !== axis.axis) continue;
    const data = Float32Array.from(await tensor.floats());
    const inner = tensor.dims.slice(axis.axis + 1).reduce((a, b) => a * b, 1);
    const size = tensor.dims[axis.axis] ?? 1;
    for (const [at] of data.entries()) if (indices.includes(Math.floor(at / inner) % size)) data[at] = 0;
    value.initializer = Tensor.f32(tensor.dims, data);
  }
}

async function copyOf(model: Model): Promise<Model> {
  return readModel(memorySource(await modelBytes(model)));
}

describe("cutting units", () => {
  it("computes what the model does whose readers do not see the channels", async () => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(recipes, fc.nat(1000), async (recipe, seed) => {
        const model = modelFrom(recipe);
        inferShapes(model);
        const { groups } = solveDependencies(model);
        // A third of the units of each group, at least one stays.
        const removed = groups.flatMap(({ units }) => units.filter((_, i) => i > 0 && (i * 7 + seed) % 3 === 0));
        const silent = modelFrom(recipe);
        inferShapes(silent);
        await silence(silent, removed);
        await cutUnits(model, removed);
        cuts += removed.length;
        const feeds = { input: noiseTensor([1, 4, 8, 8]) };
        const pruned = await copyOf(model);
        expectClose(await outputsOf(silent, feeds, tempDir), await outputsOf(pruned, feeds, tempDir), { rtol: 1e-5 });
      }),
      { numRuns: 200 },
    );
    expect(cuts).toBeGreaterThan(500);
  });
});
