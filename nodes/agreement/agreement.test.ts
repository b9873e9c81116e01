import { expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { run } from "./run.ts";
import { agreement } from "./schema.ts";

function item(id: string, values: readonly number[], name = "out"): TensorItem {
  const tensor = { dataType: DataType.FLOAT, dims: [1, values.length], data: Float32Array.from(values) };
  return { frame: { id, index: 0, width: 4, height: 4 }, tensors: { [name]: tensor } };
}

async function agree(
  candidate: readonly TensorItem[],
  reference: readonly TensorItem[],
  { fed, pool = "none" }: { fed?: readonly TensorItem[]; pool?: "none" | "mean" } = {},
) {
  await using space = await openNodeWorkspace();
  const inputs = { candidate: streamOf(candidate), reference: streamOf(reference), inputs: fed && streamOf(fed) };
  const { report } = (await space.run(run, { inputs, params: { pool } })).outputs;
  return report && space.artifacts.readJson(report);
}

it("sums over frames", async () => {
  expect(await agree([item("a", [3, 4]), item("b", [0, 1])], [item("a", [3, 5]), item("b", [0, 1])])).toEqual({
    kind: "agreement",
    version: 1,
    provenance: "measured",
    frames: 2,
    outputs: {
      out: {
        sqnrDb: expect.closeTo(10 * Math.log10(35), 9),
        cosine: expect.closeTo(30 / Math.sqrt(26 * 35), 9),
        maxAbs: 1,
        identical: false,
        cosineMean: expect.closeTo((29 / (5 * Math.sqrt(34)) + 1) / 2, 9),
        cosineMin: expect.closeTo(29 / (5 * Math.sqrt(34)), 9),
      },
    },
  });
});

function sequence(id: string, dims: readonly number[], values: readonly number[], name = "out"): TensorItem {
  const tensor = { dataType: DataType.FLOAT, dims, data: Float32Array.from(values) };
  return { frame: { id, index: 0, width: 0, height: 0 }, tensors: { [name]: tensor } };
}

it("pools a sequence into one embedding, by the mask where the inputs are wired", async () => {
  const ours = [sequence("a", [1, 3, 2], [2, 0, 0, 2, 100, 0])];
  const theirs = [sequence("a", [1, 3, 2], [0, 2, 2, 0, 0, 0])];
  const fed = [sequence("a", [1, 3], [1, 1, 0], "attention_mask")];
  const masked = await agree(ours, theirs, { fed, pool: "mean" });
  expect(masked).toMatchObject({ pool: "mean", outputs: { out: { cosineMin: expect.closeTo(1, 12), maxAbs: 0 } } });
  const plain = await agree(ours, theirs, { pool: "mean" });
  const expected = (102 * 2 + 2 * 2) / (Math.hypot(102, 2) * Math.hypot(2, 2));
  expect(plain).toMatchObject({ outputs: { out: { cosineMean: expect.closeTo(expected, 9) } } });
});

it("refuses a mask of another size", async () => {
  const items = [sequence("a", [1, 2, 1], [1, 2])];
  const fed = [sequence("a", [1, 3], [1, 1, 1], "attention_mask")];
  await expect(agree(items, items, { fed, pool: "mean" })).rejects.toMatchObject({ code: "mask-shape" });
});

it("has no SQNR for equal outputs: it would be infinite", async () => {
  const outputs = { out: { cosine: expect.closeTo(1, 12), maxAbs: 0, identical: true } };
  expect(await agree([item("a", [1, 2])], [item("a", [1, 2])])).toMatchObject({ outputs });
  expect(await agree([item("a", [1])], [item("a", [1])])).not.toHaveProperty("outputs.out.sqnrDb");
});

it("gives no figure where a value is not finite", async () => {
  const got = await agree([item("a", [Number.NaN, 2])], [item("a", [1, 2])]);
  expect(got).toHaveProperty("outputs.out", { identical: false });
});

it.each([
  ["different-frames", [item("a", [1])], [item("b", [1])]],
  ["different-frames", [item("a", [1])], [item("a", [1]), item("b", [1])]],
  ["different-outputs", [item("a", [1])], [item("a", [1], "other")]],
  ["different-outputs", [item("a", [1])], [item("a", [1, 2])]],
  ["no-frames", [], []],
])("refuses %s", async (code, candidate, reference) => {
  await expect(agree(candidate, reference)).rejects.toMatchObject({ code, fix: expect.any(String) });
});

it("takes documents of version 1 along as they are (cosine-of-each-frame)", () => {
  expect(agreement.migrations[1]?.up({ pool: "mean" })).toEqual({ pool: "mean" });
});
