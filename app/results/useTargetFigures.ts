/**
 * The result's figures for any device: of the one that ran they are the run's own; for another, accuracy and size stay
 * and latency is predicted from the very models that were profiled.
 */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import type { Result } from "../canvas/nearestResult.ts";
import { useDoc } from "../canvas/useEditor.ts";
import { useRun } from "../runs/runStore.ts";
import { useRunReports } from "../runs/useRunReports.ts";
import { artifactUrl } from "../shell/upload.ts";
import { type ResultFigures, resultFigures } from "./figures.ts";
import { profiledModels } from "./profiledModels.ts";

/** Larger models are not fetched into the tab to be predicted. */
const LIMIT_BYTES = 64 * 1024 * 1024;

export interface TargetFigures extends ResultFigures {
  /** True where latency and memory are not the run's. */
  readonly predicted: boolean;
  /** Weights and activations, for a device that did not run it. */
  readonly modelBytes: number | undefined;
}

export function useTargetFigures(): (target: DeviceProfile) => TargetFigures {
  const run = useRun((s) => s.run);
  const doc = useDoc();
  const reports = useRunReports(run.steps);
  const models = useMemo(() => profiledModels(doc, run, reports), [doc, run, reports]);
  const before = usePredictor(models.before);
  const after = usePredictor(models.after);
  return useMemo(() => {
    const own = resultFigures(reports);
    return (target) => {
      if (run.target === undefined || run.target === target.id) {
        return { ...own, predicted: false, modelBytes: undefined };
      }
      const [was, is] = [before?.(target), after?.(target)];
      const figures = own.figures.map((figure) => {
        if (figure.id === "latency") return { ...figure, before: was?.latency, after: is?.latency };
        if (figure.id === "memory") return { ...figure, before: undefined, after: undefined };
        return figure;
      });
      return { ...own, figures, predicted: true, modelBytes: is?.modelBytes };
    };
  }, [reports, run.target, before, after]);
}

/** Reads a model once and then predicts it for any device. */
function usePredictor(model: Result | undefined) {
  return useQuery({
    queryKey: ["predictor", model?.digest],
    enabled: model !== undefined && model.size > 0 && model.size <= LIMIT_BYTES,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: async () => {
      const { costOf, predict } = await import("./prediction.ts");
      const response = await fetch(artifactUrl(model?.digest ?? ""));
      if (!response.ok) throw new Error("The model is no longer stored.");
      const cost = await costOf(new Uint8Array(await response.arrayBuffer()));
      return (target: DeviceProfile) => predict(cost, target);
    },
  }).data;
}
