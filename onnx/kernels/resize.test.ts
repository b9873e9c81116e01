import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createResizer, type Interpolation, type ResizeGeometry } from "./resize.ts";

interface Golden {
  readonly sources: Readonly<Record<string, string>>;
  readonly cases: readonly { interpolation: string; source: number[]; size: number[]; expected: string }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./resize.golden.json", import.meta.url), "utf8"));

const TOLERANCE: Record<string, number> = { linear: 0, area: 1, cubic: 1 };

function resize(rgb: Uint8Array, geometry: ResizeGeometry, interpolation: Interpolation): Uint8Array {
  const out = new Uint8Array(geometry.windowWidth * geometry.windowHeight * 3);
  createResizer(geometry, interpolation)(rgb, (y, row) => out.set(row, y * geometry.windowWidth * 3));
  return out;
}

function whole(source: readonly number[], size: readonly number[]): ResizeGeometry {
  const [width, height] = size;
  return {
    sourceWidth: source[0],
    sourceHeight: source[1],
    width,
    height,
    x: 0,
    y: 0,
    windowWidth: width,
    windowHeight: height,
  };
}

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const isInterpolation = (name: string): name is Interpolation => name in TOLERANCE;
const name = (c: Golden["cases"][number]) => `${c.interpolation} ${c.source.join("x")} to ${c.size.join("x")}`;

describe("createResizer against OpenCV", () => {
  it.each(golden.cases.map((c) => [name(c), c] as const))("%s", (_, { interpolation, source, size, expected }) => {
    if (!isInterpolation(interpolation)) throw new Error(interpolation);
    const got = resize(bytes(golden.sources[source.join("x")]), whole(source, size), interpolation);
    const want = bytes(expected);
    expect(got.length).toBe(want.length);
    const worst = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0);
    expect(worst).toBeLessThanOrEqual(TOLERANCE[interpolation]);
  });
});

describe("a window", () => {
  it.each(["linear", "area", "cubic"] as const)(
    "%s gives the same pixels as the whole picture does",
    (interpolation) => {
      const rgb = bytes(golden.sources["37x29"]);
      const size = [16, 12];
      const all = resize(rgb, whole([37, 29], size), interpolation);
      const part = resize(
        rgb,
        { ...whole([37, 29], size), x: 3, y: 2, windowWidth: 7, windowHeight: 9 },
        interpolation,
      );
      const expected = Array.from({ length: 9 }, (_, y) => [...all.subarray(((y + 2) * 16 + 3) * 3).subarray(0, 21)]);
      expect([...part]).toEqual(expected.flat());
    },
  );
});
