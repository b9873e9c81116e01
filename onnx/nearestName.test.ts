import { expect, it } from "vitest";
import { nearestName } from "./nearestName.ts";

it("finds a slip of the pen and nothing far", () => {
  expect(nearestName("quantise", ["quantize", "prune"])).toBe("quantize");
  expect(nearestName("zebra", ["quantize", "prune"])).toBeUndefined();
});
