/** The one figure that stays on a compact node. */
import { headlineOf } from "../results/headlines.ts";
import { useRun } from "../runs/runStore.ts";
import { useReport } from "./useReport.ts";

export function useHeadline(id: string): string {
  const step = useRun(({ run }) => run.steps[id]);
  const report = useReport(step?.outputs.report?.digest);
  return step ? headlineOf(step, report) : "";
}
