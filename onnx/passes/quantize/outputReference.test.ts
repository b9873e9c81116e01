import { describe, expect, it } from "vitest";
import type { Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { OutputReference } from "./outputReference.ts";

const tensors = (name: string, ...numbers: number[]): HostTensors => ({
  [name]: { dataType: DataType.FLOAT, dims: [numbers.length], data: Float32Array.from(numbers) },
});

/** Gives each frame's numbers back, in a rounded model with an error of its second number. */
function fake() {
  const float = new Model(new Graph("float"));
  const rounded = new Model(new Graph("rounded"));
  let runs = 0;
  const evaluator: Evaluator = {
    open: async (model) => ({
      run: async (feeds) => {
        runs++;
        const [value = 0, error = 0] = feeds.x?.data instanceof Float32Array ? feeds.x.data : [];
        return tensors("y", model === rounded ? value + error : value);
      },
      [Symbol.asyncDispose]: async () => {},
    }),
  };
  return { float, rounded, ctx: { evaluator }, runs: () => runs };
}

/** Signal 1 each: noise over signal is the error squared. */
const FRAMES = [tensors("x", 1, 0.1), tensors("x", -1, 0.3), tensors("x", 1, 0.1), tensors("x", 1, 0.1)];

describe("the float model's outputs as reference", () => {
  it("takes the mean of noise over signal, frame by frame", async () => {
    const { float, rounded, ctx } = fake();
    const reference = await OutputReference.of(float, FRAMES, ctx);
    const { meanDb, worstDb } = await reference.measure(rounded);
    expect(meanDb).toBeCloseTo(-10 * Math.log10((0.01 + 0.09 + 0.01 + 0.01) / 4), 4);
    expect(worstDb).toBe(meanDb);
    expect((await reference.measure(float)).meanDb).toBe(Number.POSITIVE_INFINITY);
  });

  it("has the frames first whose outputs differ most, and gives up where they tell enough", async () => {
    const { float, rounded, ctx, runs } = fake();
    const { reference, others } = (await OutputReference.of(float, FRAMES, ctx)).telling(2);
    expect(others).toEqual([FRAMES[2], FRAMES[3]]);
    const before = runs();
    // The hard frame alone has 0.09 of noise: 0.045 on the mean of two, 13.5 dB at best.
    expect((await reference.measure(rounded, { toBeat: 14 })).meanDb).toBeCloseTo(-10 * Math.log10(0.09), 4);
    expect(runs()).toBe(before + 1);
    expect((await reference.measure(rounded, { toBeat: 13 })).meanDb).toBeCloseTo(-10 * Math.log10(0.05), 4);
    expect(runs()).toBe(before + 3);
  });
});
