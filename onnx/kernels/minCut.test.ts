import fc from "fast-check";
import { expect, it } from "vitest";
import { MinCut } from "./minCut.ts";

/** Every labelling of a few nodes, the cheapest by trying all. */
function cheapest(nodes: number, arcs: readonly (readonly [number, number, number])[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let labels = 0; labels < 2 ** nodes; labels++) {
    const onSource = (node: number) => (node === 0 ? true : node === 1 ? false : ((labels >> (node - 2)) & 1) === 1);
    best = Math.min(
      best,
      arcs.reduce((sum, [from, to, c]) => sum + (onSource(from) && !onSource(to) ? c : 0), 0),
    );
  }
  return best;
}

it("cuts as cheaply as the best of all labellings", () => {
  const node = fc.integer({ min: 0, max: 6 });
  const arc = fc.tuple(node, node, fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(arc, { maxLength: 30 }), (arcs) => {
      const cut = new MinCut();
      for (let i = 0; i < 5; i++) cut.addNode();
      for (const [from, to, capacity] of arcs) cut.addArc(from, to, capacity);
      const sides = cut.solve();
      expect(sides.slice(0, 2)).toEqual([true, false]);
      const cost = arcs.reduce((sum, [from, to, c]) => sum + (sides[from] && !sides[to] ? c : 0), 0);
      expect(cost).toBeCloseTo(cheapest(5, arcs), 6);
    }),
  );
});

it("keeps together what an infinite arc binds", () => {
  const cut = new MinCut();
  const [a, b] = [cut.addNode(), cut.addNode()];
  cut.addArc(MinCut.source, a, 3);
  cut.addArc(a, b, Number.POSITIVE_INFINITY);
  cut.addArc(b, MinCut.sink, 5);
  expect(cut.solve()).toEqual([true, false, false, false]);
});
