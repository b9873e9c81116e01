import { expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { run } from "./run.ts";

function item(id: string, values: readonly number[], name = "out"): TensorItem {
  const tensor = { dataType: DataType.FLOAT, dims: [1, values.length], data: Float32Array.from(values) };
  return { frame: { id, index: 0, width: 4, height: 4 }, tensors: { [name]: tensor } };
}

async function agree(candidate: readonly TensorItem[], reference: readonly TensorItem[]) {
  await using space = await openNodeWorkspace();
  const inputs = { candidate: streamOf(candidate), reference: streamOf(reference) };
  const { report } = (await space.run(run, { inputs })).outputs;
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
      },
    },
  });
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
