/**
 * Which models a run profiled, to predict them for other devices: per profile report the nearest model above it that no
 * compiler made, since each device's own compiler starts from that one. Pure.
 */
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import type { RunState } from "../../pipelines/document/reduceRun.ts";
import { nearestResult, type Result } from "../canvas/nearestResult.ts";
import { isBaseline } from "./baseline.ts";

export interface ProfiledModels {
  readonly before: Result | undefined;
  readonly after: Result | undefined;
}

export function profiledModels(
  doc: PipelineDoc | undefined,
  run: RunState,
  reports: Readonly<Record<string, { readonly kind: string }>>,
): ProfiledModels {
  const steps = Object.fromEntries(Object.entries(run.steps).filter(([, step]) => step.effects !== "builds"));
  const find = (baseline: boolean) => {
    const id = Object.keys(reports)
      .sort()
      .find((node) => reports[node]?.kind === "profile" && isBaseline(node) === baseline);
    return id === undefined ? undefined : nearestResult(doc, { ...run, steps }, id, "model");
  };
  return { before: find(true), after: find(false) };
}
