import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { collect } from "../../test/support/collect.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { run } from "./run.ts";

async function load(text: string, setApart = 0) {
  await using space = await openNodeWorkspace();
  const path = join(space.folder, "in", "tensors.jsonl");
  await mkdir(dirname(path));
  await writeFile(path, text);
  const { outputs } = await space.run(run, { inputs: {}, params: { setApart }, sources: { source: path } });
  const items = async (stream: AsyncIterable<TensorItem> | undefined) => (stream ? collect(stream) : []);
  return {
    tensors: await items(outputs.tensors),
    calibration: await items(outputs.calibration),
    report: outputs.report && (await space.artifacts.readJson(outputs.report)),
  };
}

it("reads token ids, and adds BERT's other inputs", async () => {
  const { tensors, report } = await load(
    '{"text": "Hi", "input_ids": [101, 7632, 102], "pair": 3}\n\n{"input_ids":[101,102]}',
  );
  const ids = (values: readonly bigint[]) => ({
    dataType: DataType.INT64,
    dims: [1, values.length],
    data: BigInt64Array.from(values),
  });
  expect(tensors).toEqual([
    {
      frame: { id: "line-000001", index: 0, width: 0, height: 0 },
      tensors: {
        input_ids: ids([101n, 7632n, 102n]),
        attention_mask: ids([1n, 1n, 1n]),
        token_type_ids: ids([0n, 0n, 0n]),
      },
    },
    expect.objectContaining({ frame: { id: "line-000003", index: 1, width: 0, height: 0 } }),
  ]);
  expect(report).toMatchObject({ examples: 2, tensors: { input_ids: { type: "int64", least: 2, most: 3 } } });
});

it("keeps the file's own mask, nested arrays, and floats where any line has a fraction", async () => {
  const { tensors } = await load(
    '{"x": [[1, 2], [3, 4], [5, 6]], "attention_mask": [1, 0]}\n{"x": [[0.5, 1]], "attention_mask": [1]}',
  );
  expect(tensors[0]?.tensors.x).toEqual({
    dataType: DataType.FLOAT,
    dims: [1, 3, 2],
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
  });
  expect(tensors[0]?.tensors.attention_mask?.data).toEqual(BigInt64Array.of(1n, 0n));
});

it("sets examples apart evenly, and none goes both ways", async () => {
  const text = Array.from({ length: 10 }, (_, i) => `{"x": [${i}]}`).join("\n");
  const { tensors, calibration } = await load(text, 4);
  const values = (items: readonly TensorItem[]) => items.map(({ tensors: { x } }) => Number(x?.data[0]));
  expect(values(calibration)).toEqual([2, 4, 7, 9]);
  expect(values(tensors)).toEqual([0, 1, 3, 5, 6, 8]);
  expect((await load(text, 64)).calibration).toHaveLength(5);
  expect((await load(text, 0)).calibration).toHaveLength(10);
});

it.each([
  ["bad-line", '{"x": [1]}\nnonsense', "Line 2"],
  ["bad-line", "[1, 2]", "Line 1"],
  ["bad-line", '{"x": [1, "a"]}', "Line 1"],
  ["bad-line", '{"x": [[1, 2], [3]]}', "not rectangular"],
  ["bad-line", '{"x": []}', "is empty"],
  ["bad-line", '{"x": [1e999]}', "double precision"],
  ["bad-line", '{"text": "no numbers", "tags": ["a"]}', "no array of numbers"],
  ["bad-line", `{"x": ${"[".repeat(9)}1${"]".repeat(9)}}`, "axes"],
  ["different-tensors", '{"x": [1]}\n{"y": [1]}', "Line 2"],
  ["no-examples", "\n\n", "no line"],
])("refuses %s: %s", async (code, text, words) => {
  const wrong = load(text);
  await expect(wrong).rejects.toMatchObject({ code, fix: expect.any(String) });
  await expect(wrong).rejects.toThrow(words);
});

it("asks for a file where none is set", async () => {
  await using space = await openNodeWorkspace();
  await expect(space.run(run, { inputs: {} })).rejects.toMatchObject({ code: "no-source" });
});
