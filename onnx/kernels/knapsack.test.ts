import fc from "fast-check";
import { expect, it } from "vitest";
import { chooseWithin, type Offer } from "./knapsack.ts";

const offers = fc.array(fc.record({ gain: fc.integer({ min: -3, max: 30 }), cost: fc.integer({ min: -2, max: 20 }) }), {
  maxLength: 9,
});

/** Costs are whole numbers of the budget's steps here, so that nothing is lost to rounding. */
const BUDGET = 40;

function sumOf(all: readonly Offer[], chosen: Iterable<number>) {
  let [gain, cost] = [0, 0];
  for (const i of chosen) {
    gain += all[i]?.gain ?? 0;
    if ((all[i]?.cost ?? 0) > 0) cost += all[i]?.cost ?? 0;
  }
  return { gain, cost };
}

it("takes the best of all subsets that the budget allows", () => {
  fc.assert(
    fc.property(offers, (all) => {
      const found = sumOf(all, chooseWithin(all, BUDGET));
      expect(found.cost).toBeLessThanOrEqual(BUDGET);
      let best = 0;
      for (let mask = 0; mask < 2 ** all.length; mask++) {
        const { gain, cost } = sumOf(
          all,
          all.flatMap((_, i) => (mask & (1 << i) ? [i] : [])),
        );
        if (cost <= BUDGET) best = Math.max(best, gain);
      }
      expect(found.gain).toBe(best);
    }),
  );
});

it("takes nothing that costs where there is no budget", () => {
  expect(chooseWithin([{ gain: 1, cost: 1 }], 0).size).toBe(0);
});
