import { describe, expect, it } from "vitest";
import { collect } from "../../test/support/collect.ts";
import { tee } from "./tee.ts";

function source(length: number) {
  const state = { pulled: 0, closed: false };
  async function* numbers() {
    try {
      for (let i = 0; i < length; i++) {
        state.pulled++;
        yield i;
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, stream: Object.assign(numbers(), { total: length }) };
}

describe("tee", () => {
  it("gives every reader every item, and the total", async () => {
    const { stream } = source(50);
    const shared = tee(stream, 4);
    const branches = [shared.branch(), shared.branch(), shared.branch()];
    expect(branches.map(({ total }) => total)).toEqual([50, 50, 50]);
    const all = await Promise.all(branches.map(collect));
    for (const items of all) expect(items).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it("pulls nothing before somebody reads, and no further than the slowest reader allows", async () => {
    const { stream, state } = source(100);
    const shared = tee(stream, 4);
    const fast = shared.branch()[Symbol.asyncIterator]();
    const slow = shared.branch()[Symbol.asyncIterator]();
    expect(state.pulled).toBe(0);
    for (let i = 0; i < 4; i++) await fast.next();
    const fifth = fast.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(state.pulled).toBe(4);
    expect((await slow.next()).value).toBe(0);
    expect((await fifth).value).toBe(4);
    expect(state.pulled).toBe(5);
  });

  it("a reader that leaves frees the others; the last one closes the source", async () => {
    const { stream, state } = source(100);
    const shared = tee(stream, 2);
    const [a, b] = [shared.branch(), shared.branch()];
    const leaving = b[Symbol.asyncIterator]();
    await leaving.next();
    await leaving.return?.();
    let count = 0;
    for await (const _ of a) {
      count++;
      if (count === 30) break;
    }
    expect(state.closed).toBe(true);
    expect(state.pulled).toBe(30);
    expect(await collect(b)).toEqual([]);
  });

  it("a failure reaches every reader, after the items before it", async () => {
    async function* failing() {
      yield 1;
      throw new Error("broken");
    }
    const shared = tee(failing());
    const seen: number[][] = [[], []];
    const read = async (branch: AsyncIterable<number>, into: number[] | undefined) => {
      for await (const item of branch) into?.push(item);
    };
    const ends = await Promise.allSettled([read(shared.branch(), seen[0]), read(shared.branch(), seen[1])]);
    expect(seen).toEqual([[1], [1]]);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});
