import { expect, it } from "vitest";
import { rollingFigures } from "./liveFigures.ts";

const times = (infer: number) => ({ read: 1, preprocess: 2, infer, nms: 0.5 });

it("gives means of the last frames a few times a second, without the first cold ones", () => {
  const figures = rollingFigures();
  // Three cold frames of a second each, then one every 100 ms.
  for (let i = 0; i < 3; i++) expect(figures.add(times(1000), i * 1000)).toBeUndefined();
  const given = Array.from({ length: 40 }, (_, i) => figures.add(times(i < 10 ? 50 : 10), 3000 + i * 100));
  const shown = given.filter((entry) => entry !== undefined);
  expect(given[0]).toBeUndefined();
  expect(shown.length).toBe(13);
  expect(shown[0]?.times).toEqual(times(50));
  expect(shown[0]?.framesPerSecond).toBeCloseTo(10, 9);
  // By now the ten slow ones have left the window of thirty.
  expect(given[37]?.times).toEqual({ ...times(10), infer: expect.closeTo((2 * 50 + 28 * 10) / 30, 9) });
});
