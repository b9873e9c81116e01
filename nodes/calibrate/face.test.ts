import { describe, expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";

const tensor = (name: string, sqnrDb: number) => ({
  name,
  min: -2,
  max: 9,
  lo: -1,
  hi: 6,
  bound: 6,
  sqnrDb,
  clippedShare: 0.01,
  settledAfter: 3,
  histogram: { low: -2, width: 1, counts: [1, 4, 9, 16, 9, 4, 1, 0, 0, 0, 1] },
});
const report = {
  kind: "calibrate",
  method: "auto",
  images: 8,
  settledAfter: 5,
  unsettledTensors: [],
  outlierImages: [{ image: "flash.jpg", tensors: 7 }],
  clippedShare: 0.01,
  tensors: [tensor("worst", 12.3), tensor("better", 31)],
};

describe("the face of calibrate", () => {
  it("shows the worst tensor with its clip on the node, and every tensor when opened", () => {
    expect(renderFace(Face, { report })).toMatch(/aria-label="worst: values from -2 to 9, kept from -1 to 6/);
    const large = renderFace(Face, { report, large: true });
    expect(large).toMatch(/flash\.jpg alone stretched 7 tensors/);
    expect(large).toMatch(/Histogram of worst with its clip/);
    expect(large.indexOf("12.3 dB")).toBeLessThan(large.indexOf("31.0 dB"));
  });

  it("shows the histogram while it fills", () => {
    const progress = "228/232 ranges stand, last to widen: conv1 -3.2 ▁▂▅█▅▁ 7.1";
    expect(renderFace(Face, { report, progress })).toMatch(/228\/232 ranges stand.*conv1 -3\.2 ▁▂▅█▅▁ 7\.1/);
  });
});
