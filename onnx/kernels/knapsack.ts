/** Which of many things are worth their cost where not all can be had: the 0/1 knapsack, by dynamic programming. */

/** Costs are rounded up to this share of the budget: what is chosen never costs more. */
const STEPS = 2000;

export interface Offer {
  /** Above zero to be taken at all. */
  readonly gain: number;
  /** What costs nothing, or less, is always taken. */
  readonly cost: number;
}

/** Indices of the offers with the largest sum of gains within the budget, to a two-thousandth of it a piece. */
export function chooseWithin(offers: readonly Offer[], budget: number): ReadonlySet<number> {
  const free = offers.flatMap(({ gain, cost }, i) => (gain > 0 && cost <= 0 ? [i] : []));
  const chosen = new Set(free);
  const paid = offers.flatMap(({ gain, cost }, i) => (gain > 0 && cost > 0 && cost <= budget ? [i] : []));
  const unit = budget / STEPS;
  const best = new Float64Array(STEPS + 1);
  const taken = new Uint8Array(paid.length * (STEPS + 1));
  const steps = paid.map((i) => Math.ceil(offers[i].cost / unit - 1e-9));
  for (let k = 0; k < paid.length; k++) {
    const { gain } = offers[paid[k]];
    for (let room = STEPS; room >= steps[k]; room--) {
      const sum = best[room - steps[k]] + gain;
      if (sum <= best[room]) continue;
      best[room] = sum;
      taken[k * (STEPS + 1) + room] = 1;
    }
  }
  for (let k = paid.length - 1, room = STEPS; k >= 0; k--) {
    if (taken[k * (STEPS + 1) + room] === 0) continue;
    chosen.add(paid[k]);
    room -= steps[k];
  }
  return chosen;
}
