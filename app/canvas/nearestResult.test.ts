import { expect, test } from "vitest";
import { reduceRun } from "../../pipelines/document/reduceRun.ts";
import { docNode, pipelineDoc } from "../../test/support/pipelineDoc.ts";
import { nearestResult } from "./nearestResult.ts";

const doc = pipelineDoc(
  {
    calibration: docNode("load-images"),
    images: docNode("load-images"),
    autotune: docNode("autotune"),
    preprocess: docNode("preprocess"),
    infer: docNode("infer"),
  },
  [
    { from: "calibration.images", to: "autotune.images" },
    { from: "images.images", to: "preprocess.source" },
    { from: "autotune.model", to: "infer.model" },
    { from: "preprocess.tensors", to: "infer.tensors" },
  ],
);

function finished(steps: Readonly<Record<string, string>>) {
  const head = { runId: "r", seq: 0, time: "2026-01-01T00:00:00Z" };
  return reduceRun([
    { ...head, type: "run.started", pipeline: "p", target: "local-cpu", plan: Object.keys(doc.nodes) },
    ...Object.entries(steps).map(([id, digest], index) => ({
      ...head,
      seq: index + 1,
      type: "step.finished" as const,
      node: id,
      cache: "miss" as const,
      effects: "pure" as const,
      ms: 1,
      outputs: { images: { kind: "images", digest } },
      previews: [],
    })),
  ]);
}

test("a node's pictures are those that flow through it, not those its model was made with", () => {
  const run = finished({ calibration: "c", images: "i" });
  expect(nearestResult(doc, run, "infer", "images")?.digest).toBe("i");
  expect(nearestResult(doc, run, "autotune", "images")?.digest).toBe("c");
});

test("where nothing flows with pictures, the model's will do", () => {
  const run = finished({ calibration: "c" });
  expect(nearestResult(doc, run, "infer", "images")?.digest).toBe("c");
  expect(nearestResult(doc, finished({}), "infer", "images")).toBeUndefined();
});
