import { expect, it } from "vitest";
import { packNibbles, packOffsetNibbles } from "./quantizeWeights.ts";
import { roundColumns, roundDown, roundRows } from "./roundNibbles.ts";

function noise(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * Math.cos(i * 4.1414));
}

/** The same by the definition, one block of a row at a time. */
function byDefinition(rows: readonly Float32Array[], block: number) {
  const integers: number[] = [];
  const scales: number[] = [];
  for (const row of rows) {
    for (let from = 0; from < row.length; from += block) {
      const part = row.subarray(from, from + block);
      const most = part.reduce((a, w) => (Math.abs(w) > Math.abs(a) ? w : a), 0);
      const scale = Math.fround(most / -8);
      scales.push(scale === 0 ? 1 : scale);
      for (const w of part) integers.push(scale === 0 ? 0 : Math.min(7, Math.floor(w * Math.fround(1 / scale) + 0.5)));
    }
  }
  return { integers: Int8Array.from(integers), scales: Float32Array.from(scales) };
}

it.each([
  [64, 300, 32],
  [40, 3, 16],
])("rounds down columns: %i x %i in blocks of %i", (rows, columns, block) => {
  const panel = noise(rows * columns);
  panel.fill(0, 0, 0);
  const asRows = Array.from({ length: columns }, (_, c) =>
    Float32Array.from({ length: rows }, (_, r) => panel[r * columns + c] ?? 0),
  );
  const expected = byDefinition(asRows, block);
  const { data, scales } = roundColumns(panel, columns, block);
  expect(scales).toEqual(expected.scales);
  expect(data).toEqual(packOffsetNibbles(expected.integers, rows, block));
});

it("rounds along rows", () => {
  const matrix = noise(3 * 50);
  matrix.fill(0, 50, 82);
  const expected = byDefinition(
    [0, 1, 2].map((r) => matrix.subarray(r * 50, (r + 1) * 50)),
    32,
  );
  const { data, scales } = roundRows(matrix, 50, 32);
  expect(scales).toEqual(expected.scales);
  expect(data).toEqual(packNibbles(expected.integers));
});

it("keeps the weight that is farthest from zero exactly", () => {
  const { data, scales } = roundRows(Float32Array.of(0.1, 3, -2, 0), 4, 4);
  expect([...data]).toEqual([(8 << 4) | 0, (5 << 0) | 0]);
  expect(scales[0]).toBeCloseTo(-3 / 8, 6);
});

it("takes positive scales alone where the reader wants them, in rows and down columns", () => {
  const matrix = Float32Array.of(7, -1, 3.5, 2);
  const rows = roundRows(matrix, 4, 4, true);
  expect([...rows.scales]).toEqual([1]);
  expect([...rows.data]).toEqual([0xf7, 0x24]);
  const down = roundDown(matrix, 2, 2, true);
  expect([...down.scales].map((scale) => scale * 7)).toEqual([7, 2].map((x) => expect.closeTo(x, 5)));
  // 7 / 1, -1 / (2/7) -> -3.5 -> -3, 3.5 -> 4, 2 / (2/7) = 7.
  expect([...down.data]).toEqual([0xd7, 0x74]);
});
