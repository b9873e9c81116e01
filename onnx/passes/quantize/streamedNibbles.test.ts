import { expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { cloneModel } from "../../cloneModel.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import { type ByteSource, memorySource, Tensor } from "../../ir/tensor.ts";
import { roundColumns, roundDown, roundRows } from "../../kernels/roundNibbles.ts";
import { mulberry32 } from "../../seededTensor.ts";
import { modelBytes, readModel } from "../../serde.ts";
import { outputDifference } from "../outputDifference.ts";
import { quantize } from "./quantize.ts";
import { streamedColumns, streamedDown, streamedRows } from "./streamedNibbles.ts";

const random = mulberry32(3);
function weights(rows: number, columns: number) {
  const data = Float32Array.from({ length: rows * columns }, () => random() - 0.5);
  return { data, bytes: new Uint8Array(data.buffer) };
}

/** A tensor whose bytes lie elsewhere, behind others; tells how much was read. */
function tensorElsewhere(dims: readonly number[], bytes: Uint8Array) {
  const all = new Uint8Array(bytes.length + 100);
  all.set(bytes, 100);
  const inner = memorySource(all);
  const seen = { bytes: 0 };
  const source: ByteSource = {
    size: inner.size,
    read: (offset, length) => {
      seen.bytes += length;
      return inner.read(offset, length);
    },
  };
  return { tensor: new Tensor(DataType.FLOAT, dims, { ref: { source, offset: 100, length: bytes.length } }), seen };
}

async function inPieces({ ref }: Tensor, size: number): Promise<Uint8Array> {
  if (!ref) throw new Error("it is in memory");
  const bytes = new Uint8Array(ref.length);
  for (let at = 0; at < ref.length; at += size) {
    bytes.set(await ref.source.read(ref.offset + at, Math.min(size, ref.length - at)), at);
  }
  return bytes;
}

const form = (dims: readonly number[], scaleDims: readonly number[]) =>
  ({ block: 32, dataType: DataType.UINT8, dims, scaleType: DataType.FLOAT, scaleDims, node: "product" }) as const;

it("gives what rounding in memory gives, in any pieces, and reads the weight once", async () => {
  const { data, bytes } = weights(70, 50);
  const { tensor, seen } = tensorElsewhere([70, 50], bytes);
  const expected = roundColumns(data, 50, 32);
  const streamed = streamedColumns(tensor, form([50, 3, 16], [150]));
  expect(await inPieces(streamed.data, 77)).toEqual(expected.data);
  expect(await inPieces(streamed.scales, 13)).toEqual(new Uint8Array(expected.scales.buffer));
  expect(seen.bytes).toBe(70 * 50 * 4);
});

it("works through a weight larger than a panel, columns or rows at a time", async () => {
  const { data, bytes } = weights(70, 50);
  const byColumns = streamedColumns(tensorElsewhere([70, 50], bytes).tensor, {
    ...form([50, 3, 16], [150]),
    panelBytes: (70 / 2) * 7,
    stripeBytes: 4 * 7 * 32,
  });
  expect(await inPieces(byColumns.data, 300)).toEqual(roundColumns(data, 50, 32).data);
  const byRows = streamedRows(tensorElsewhere([70, 50], bytes).tensor, {
    ...form([70, 50], [70, 2]),
    panelBytes: (50 / 2) * 9,
    stripeBytes: 4 * 50 * 2,
  });
  const expected = roundRows(data, 50, 32);
  expect(await inPieces(byRows.data, 300)).toEqual(expected.data);
  expect(await inPieces(byRows.scales, 300)).toEqual(new Uint8Array(expected.scales.buffer));
});

it("rounds down the columns in the weight's own order, a few rows of blocks at a time", async () => {
  const { data, bytes } = weights(96, 50);
  const streamed = streamedDown(tensorElsewhere([96, 50], bytes).tensor, {
    ...form([96, 50], [3, 50]),
    positive: true,
    panelBytes: 16 * 50 * 2,
    stripeBytes: 4 * 32 * 50,
  });
  const expected = roundDown(data, 50, 32, true);
  expect(await inPieces(streamed.data, 77)).toEqual(expected.data);
  expect(await inPieces(streamed.scales, 13)).toEqual(new Uint8Array(expected.scales.buffer));
});

it("refuses a weight that is no number, in columns or rows", async () => {
  const { data, bytes } = weights(70, 50);
  data[1234] = Number.NaN;
  const refused = { code: "weight-not-finite", message: 'a weight of "product" is a NaN or an infinity' };
  const columns = streamedColumns(tensorElsewhere([70, 50], bytes).tensor, form([50, 3, 16], [150]));
  await expect(columns.data.bytes()).rejects.toMatchObject(refused);
  data[1234] = Number.NEGATIVE_INFINITY;
  const rows = streamedRows(tensorElsewhere([70, 50], bytes).tensor, form([70, 50], [70, 2]));
  await expect(rows.scales.bytes()).rejects.toMatchObject(refused);
});

/** ids -> Gather -> MatMul, with weights of so many bytes that a limit of 1 KB streams them. */
function model(): Model {
  const graph = new Graph("text");
  const made = new Model(graph);
  made.opsetImports.set("", 17);
  const ids = graph.addInput("ids", { elemType: DataType.INT64, shape: [1, "length"] });
  const table = graph.addInitializer("table", Tensor.f32([600, 64], weights(600, 64).data));
  const rows = graph.addNode({ opType: "Gather", name: "embed", inputs: [table, ids], outputs: ["rows"] }).output();
  const weight = graph.addInitializer("weight", Tensor.f32([64, 48], weights(64, 48).data));
  const out = graph.addNode({ opType: "MatMul", name: "product", inputs: [rows, weight], outputs: ["out"] }).output();
  out.type = { elemType: DataType.FLOAT, shape: [1, "length", 48] };
  graph.addOutput(out);
  return made;
}

const options = { format: "int4", layout: "onnxruntime-x86", keepFloat: [], minSqnrDb: 10, io: "float32" } as const;

it("streams a model above the limit: its tensors are computed as they are written", async () => {
  const streamed = model();
  const { layers } = await quantize(streamed, { ...options, blockSize: 32, streamFrom: 1024 });
  expect(layers.map(({ node, bits, ownSqnrDb }) => ({ node, bits, ownSqnrDb }))).toEqual([
    { node: "product", bits: 4, ownSqnrDb: undefined },
    { node: "embed", bits: 4, ownSqnrDb: undefined },
  ]);
  const read = await readModel(memorySource(await modelBytes(streamed)));
  expect(read.graph.nodes.map(({ opType }) => opType)).toEqual(["GatherBlockQuantized", "MatMulNBits"]);
  const written = read.graph.values.get("weight_q")?.initializer;
  expect(written?.dims).toEqual([48, 2, 16]);
  expect(new Set(await written?.bytes()).size).toBeGreaterThan(16);
});

it("does not stream where frames tell what to round by, or below the limit", async () => {
  const small = model();
  const { layers } = await quantize(small, { ...options, blockSize: 32 });
  expect(layers[0]?.ownSqnrDb).toBeGreaterThan(15);
});

it("streams for TensorRT as DequantizeLinear in blocks, which ONNX Runtime reads too", async () => {
  const reference = model();
  const streamed = cloneModel(reference);
  const { layers } = await quantize(streamed, { ...options, layout: "tensorrt", blockSize: 32, streamFrom: 1024 });
  expect(layers.map(({ node, bits, ownSqnrDb }) => ({ node, bits, ownSqnrDb }))).toEqual([
    { node: "product", bits: 4, ownSqnrDb: undefined },
  ]);
  const read = await readModel(memorySource(await modelBytes(streamed)));
  expect(read.opset).toBeGreaterThanOrEqual(21);
  expect(read.graph.nodes.map(({ opType }) => opType)).toEqual(["Gather", "DequantizeLinear", "MatMul"]);
  expect(read.graph.nodes[1]?.inputs.map((value) => value?.initializer?.dims)).toEqual([
    [64, 48],
    [2, 48],
  ]);
  const evaluator = createOrtEvaluator({ tempDir: "/nowhere" });
  const models = { reference, candidate: read };
  const ids = { dataType: DataType.INT64, dims: [1, 3], data: BigInt64Array.of(1n, 20n, 300n) };
  const { out } = await outputDifference(models, [{ ids }], evaluator);
  expect(out?.relative).toBeLessThan(0.15);
});
