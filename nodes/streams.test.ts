import { describe, expect, it } from "vitest";
import { DataType } from "../onnx/ir/dataType.ts";
import { collect } from "../test/support/collect.ts";
import type { TensorItem } from "./ports.ts";
import { feedsFor, mapStream, withTotal } from "./streams.ts";

async function* numbers(count: number, seen: number[] = []) {
  for (let i = 0; i < count; i++) {
    seen.push(i);
    yield i;
  }
}
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("mapStream", () => {
  it("keeps order and total whatever finishes first", async () => {
    const stream = mapStream(withTotal(numbers(6), 6), (i) => sleep((6 - i) * 3).then(() => i * 2), 3);
    expect(stream.total).toBe(6);
    expect(await collect(stream)).toEqual([0, 2, 4, 6, 8, 10]);
  });

  it("pulls nothing before it is asked, and never more than the concurrency ahead", async () => {
    const seen: number[] = [];
    let running = 0;
    let most = 0;
    const stream = mapStream(
      numbers(20, seen),
      async (i) => {
        most = Math.max(most, ++running);
        await sleep(1);
        running--;
        return i;
      },
      3,
    );
    expect(seen).toEqual([]);
    for await (const i of stream) expect(seen.length).toBeLessThanOrEqual(i + 3);
    expect(most).toBe(3);
  });

  it("throws in its turn and closes the source", async () => {
    let closed = false;
    const source = (async function* () {
      try {
        yield* numbers(100);
      } finally {
        closed = true;
      }
    })();
    const got: number[] = [];
    const read = async () => {
      for await (const i of mapStream(
        source,
        (i) => {
          if (i === 2) throw new Error("two");
          return i;
        },
        4,
      ))
        got.push(i);
    };
    await expect(read()).rejects.toThrow("two");
    expect(got).toEqual([0, 1]);
    expect(closed).toBe(true);
  });
});

describe("feedsFor", () => {
  const data = new Float32Array(12);
  const item: TensorItem = {
    frame: { id: "a.jpg", index: 0, width: 2, height: 2 },
    tensors: { "": { dataType: DataType.FLOAT, dims: [1, 3, 2, 2], data } },
  };
  it("names a preprocess's tensor after the only feed", () => {
    expect(
      Object.keys(feedsFor(item, [{ name: "images", dataType: DataType.FLOAT, dims: ["batch", 3, -1, 2] }])),
    ).toEqual(["images"]);
  });
  it.each([
    ["many-feeds", [{ name: "a" }, { name: "b" }]],
    ["wrong-shape", [{ name: "a", dims: [1, 3, 4, 4] }]],
    ["wrong-type", [{ name: "a", dataType: DataType.FLOAT16 }]],
  ])("refuses with %s", (code, feeds) => {
    expect(() => feedsFor(item, feeds)).toThrow(expect.objectContaining({ code, fix: expect.any(String) }));
  });
  it("gives a model no more than it asks for, whole numbers in its own type where they fit", () => {
    const ids = { dataType: DataType.INT64, dims: [1, 2], data: BigInt64Array.of(101n, 102n) };
    const text: TensorItem = { frame: { id: "line-1", index: 0, width: 0, height: 0 }, tensors: { ids, mask: ids } };
    expect(feedsFor(text, [{ name: "ids", dataType: DataType.INT32 }])).toEqual({
      ids: { dataType: DataType.INT32, dims: [1, 2], data: Int32Array.of(101, 102) },
    });
    expect(feedsFor(text, [{ name: "mask", dataType: DataType.FLOAT }]).mask?.data).toEqual(Float32Array.of(101, 102));
    const large = { ...text, tensors: { ids: { ...ids, data: BigInt64Array.of(2n ** 40n, 0n) } } };
    expect(() => feedsFor(large, [{ name: "ids", dataType: DataType.INT32 }])).toThrow("is i32");
  });
  it("refuses tensors that lack a feed", () => {
    const named = { ...item, tensors: { x: { dataType: DataType.FLOAT, dims: [1], data: new Float32Array(1) } } };
    expect(() => feedsFor(named, [{ name: "y" }])).toThrow(expect.objectContaining({ code: "missing-feed" }));
  });
});
