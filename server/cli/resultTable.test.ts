import { describe, expect, it } from "vitest";
import type { RunOutput } from "../../pipelines/document/events.ts";
import { resultTable } from "./resultTable.ts";

const output = (value: RunOutput["value"]) => ({
  report: { kind: "report" as const, digest: "0".repeat(64), size: 1, value },
});
const point = (id: string, speedup: number) => ({
  id,
  speedup,
  ms: 4 / speedup,
  sizeShare: 0.35,
  sqnrDb: 30,
  lossPercent: 0.4,
  lossError: 0.1,
  mAP: 0.5,
  layers: { int8: 3, weights: 1, float: 0 },
  take: [],
});

describe("resultTable", () => {
  it("says whether a calibration's images were enough", () => {
    const value = {
      kind: "calibrate",
      method: "auto",
      images: 32,
      settledAfter: 11,
      unsettledTensors: ["a", "b"],
      outlierImages: ["night", "fog", "sun", "rain"].map((image, i) => ({ image, tensors: 20 - i })),
      clippedShare: 0.000312,
      tensors: [],
    };
    expect(resultTable({ calibrate: output(value) })).toBe(
      "\ncalibrate: ranges of 0 tensors settled after 11 of 32 images; 2 still widened at the end; " +
        "0.031 % of the values clipped; night alone stretched 20; fog alone stretched 19; sun alone stretched 18; " +
        "and 1 more\n",
    );
  });

  it("shows the front of an autotune and the point that was taken; estimates are marked", () => {
    const value = {
      kind: "autotune",
      provenance: "estimated",
      front: [point("int8-3", 2), point("original", 1)],
      chosen: point("original", 1),
      layout: "tensorrt",
      objective: "fastest",
      lossOf: "mAP",
      beaten: [],
      rewrites: [],
      ranges: [],
      steps: [],
      layers: [],
      warnings: [],
    };
    const lines = resultTable({ tune: output(value) }).split("\n");
    expect(lines[1]).toMatch(/^tune +time +speed +size +SQNR +mAP +loss/);
    expect(lines[2]).toMatch(/^ {2}int8-3 +≈ 2\.00 ms +≈ 2\.00x +0\.35 +30\.00 dB +0\.500 +0\.40 % +3\/1\/0$/);
    expect(lines[3]).toMatch(/^→ original/);
    expect(resultTable({ tune: output({ ...value, provenance: "measured" }) })).not.toContain("≈");
  });

  it("shows what agrees, output by output", () => {
    const outputs = {
      tokens: { identical: false, sqnrDb: 26.5, cosineMean: 0.99861, cosineMin: 0.9974 },
      mask: { identical: true },
    };
    const lines = resultTable({ "agreement-int8": output({ kind: "agreement", outputs }) }).split("\n");
    expect(lines[2]).toMatch(/^agreement-int8 +tokens +26\.50 dB +0\.9986 +0\.9974$/);
    expect(lines[3]).toMatch(/^agreement-int8 +mask +identical +– +–$/);
  });

  it("is empty where no report has figures", () => {
    expect(resultTable({ load: output({ kind: "load-model" }), none: {} })).toBe("");
  });
});
