import { describe, expect, it } from "vitest";
import { wirePath } from "./wirePath.ts";

const box = (x: number, y: number) => ({ x, y, width: 240, height: 220 });

describe("wirePath", () => {
  it("goes straight where nothing is in the way", () => {
    expect(wirePath({ x: 240, y: 100 }, { x: 274, y: 100 }, [box(0, 0), box(274, 0)]).d).toBe(
      "M240 100C258 100 256 100 274 100",
    );
  });

  it("takes the nearest corridor around a node between its ends", () => {
    const { d, middle } = wirePath({ x: 240, y: 100 }, { x: 800, y: 100 }, [box(0, 0), box(400, 0), box(800, 0)]);
    expect(middle.y).toBe(-14);
    expect(d.startsWith("M240 100C")).toBe(true);
    expect(d.endsWith("800 100")).toBe(true);
  });

  it("leads a wire that runs backwards around both nodes", () => {
    const boxes = [box(600, 0), box(0, 0)];
    const { middle } = wirePath({ x: 840, y: 100 }, { x: 0, y: 100 }, boxes);
    for (const b of boxes) expect(middle.y < b.y || middle.y > b.y + b.height).toBe(true);
  });
});
