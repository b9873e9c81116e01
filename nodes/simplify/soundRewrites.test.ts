import { describe, expect, it } from "vitest";
import type { Model } from "../../onnx/ir/graph.ts";
import { simplifiable } from "../../test/support/randomGraph.ts";
import type { Verdict } from "./judge.ts";
import { soundRewrites } from "./soundRewrites.ts";

const opsOf = ({ graph }: Model) => graph.nodes.map(({ opType }) => opType);
const wrong: Verdict = { kind: "wrong", what: 'output "y" differs by 0.50 of its norm', relative: 0.5 };
const same: Verdict = { kind: "same", outputs: {}, ties: [] };

async function judgedBy(right: (model: Model) => boolean, opset = 0) {
  const judge = { of: async (model: Model) => (right(model) ? same : wrong) };
  const model = simplifiable();
  const told: Model[] = [];
  const sound = await soundRewrites({ original: model, opset, judge, ctx: {}, expect: (one) => told.push(one) });
  return { ...sound, told, original: model };
}

describe("soundRewrites", () => {
  it("makes every rewrite of a model that stays the same, and tells its result before it is judged", async () => {
    const { model, leftOut, told } = await judgedBy(() => true);
    expect(opsOf(model)).toEqual(["Conv", "Conv", "Flatten"]);
    expect(leftOut).toEqual([]);
    expect(told).toEqual([model]);
  });

  it("finds the rewrite at fault, names it with count and difference, and makes the others", async () => {
    const { model, leftOut, result } = await judgedBy((one) => opsOf(one).includes("Identity"));
    expect(leftOut).toEqual([{ rule: "drop-identities", count: 1, what: wrong.what, relative: 0.5 }]);
    expect(opsOf(model)).toEqual(["Conv", "Identity", "Transpose", "Conv", "Flatten"]);
    expect(Object.keys(result.applied)).toContain("fuse-affine-into-layer");
  });

  it("finds several of them", async () => {
    const keeps = ["BatchNormalization", "Identity"];
    const { model, leftOut } = await judgedBy((one) => keeps.every((op) => opsOf(one).includes(op)));
    expect(leftOut.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(["drop-identities", "fuse-affine-into-layer"]),
    );
    expect(opsOf(model)).toEqual(expect.arrayContaining(keeps));
  });

  it("leaves a newer operator set out where that is at fault", async () => {
    const { opset } = simplifiable();
    const { model, leftOut } = await judgedBy((one) => one.opset === opset, 25);
    expect(leftOut.map(({ rule }) => rule)).toEqual(["upgrade-opset"]);
    expect(opsOf(model)).toEqual(["Conv", "Conv", "Flatten"]);
  });

  it("takes the newest operator set that stays the same", async () => {
    const { model, leftOut } = await judgedBy((one) => one.opset < 23, 25);
    expect(model.opset).toBe(22);
    expect(leftOut.map(({ rule }) => rule)).toEqual(["upgrade-opset"]);
  });

  it("returns the original where no rewrite is at fault", async () => {
    const { model, original, verdict, result } = await judgedBy(() => false);
    expect(model).toBe(original);
    expect(verdict).toEqual({ kind: "untouched", why: wrong.what });
    expect(result.applied).toEqual({});
  });
});
