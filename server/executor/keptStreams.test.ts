import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Artifacts } from "../../nodes/context.ts";
import type { TensorItem } from "../../nodes/ports.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import { collect } from "../../test/support/collect.ts";
import { createArtifacts } from "../storage/artifacts.ts";
import { BlobStore } from "../storage/blobs.ts";
import { openWorkspace } from "../storage/workspace.ts";
import { keepStream, readKept } from "./keptStreams.ts";

let root = "";
let artifacts: Artifacts;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "edgewright-kept-"));
  artifacts = createArtifacts(new BlobStore(openWorkspace(root, join(root, ".edgewright")).home));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function* stream<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const items: TensorItem[] = [
  {
    frame: { id: "a.jpg", index: 0, width: 640, height: 426 },
    transform: { scaleX: 0.5, scaleY: 0.5, offsetX: 1, offsetY: 2, inputWidth: 320, inputHeight: 320 },
    tensors: {
      odd: { dataType: DataType.UINT8, dims: [3], data: Uint8Array.of(1, 2, 255) },
      out: { dataType: DataType.FLOAT, dims: [1, 2], data: Float32Array.of(Number.NaN, -1.5) },
      half: { dataType: DataType.FLOAT16, dims: [1], data: Uint16Array.of(0x3c00) },
    },
  },
  {
    frame: { id: "b.jpg", index: 1, width: 1, height: 1 },
    tensors: {
      ids: { dataType: DataType.INT64, dims: [2], data: BigInt64Array.of(-1n, 2n ** 40n) },
      none: { dataType: DataType.DOUBLE, dims: [0], data: new Float64Array(0) },
    },
  },
];

describe("kept streams", () => {
  it("tensors come back bit by bit, with their number", async () => {
    const ref = await keepStream({ kind: "tensors", stream: stream(...items), artifacts, budget: 1e6 });
    if (!ref) throw new Error("nothing was kept");
    const back = await readKept(ref, artifacts);
    expect(back.total).toBe(2);
    expect(await collect(back)).toEqual(items);
    expect(await collect(await readKept(ref, artifacts))).toHaveLength(2);
  });

  it("detections are one line of JSON a frame", async () => {
    const lines = [
      { frame: "a", width: 2, height: 1, detections: [{ classId: 0, class: "person", score: 0.5, box: [0, 0, 1, 1] }] },
      { frame: "b", width: 2, height: 1, detections: [] },
    ];
    const ref = await keepStream({ kind: "detections", stream: stream(...lines), artifacts, budget: 1 });
    if (!ref) throw new Error("nothing was kept");
    expect(await artifacts.readText(ref)).toBe(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const back = await readKept(ref, artifacts);
    expect(back.total).toBe(2);
    expect(await collect(back)).toEqual(lines);
  });

  it("an empty stream is kept as one; more than the budget is not kept, and its reader is let go", async () => {
    const empty = await keepStream({ kind: "tensors", stream: stream(), artifacts, budget: 1 });
    if (!empty) throw new Error("nothing was kept");
    expect(await collect(await readKept(empty, artifacts))).toEqual([]);
    const large = stream(...items);
    expect(await keepStream({ kind: "tensors", stream: large, artifacts, budget: 10 })).toBeUndefined();
    expect(await large.next()).toEqual({ done: true, value: undefined });
  });
});
