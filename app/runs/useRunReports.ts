/** The JSON of each step's report, by node id; fetched by digest, which never changes. */
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import type { RunState } from "../../pipelines/document/reduceRun.ts";
import { type ReportJson, reportQuery } from "../canvas/useReport.ts";

export type RunReports = Readonly<Record<string, ReportJson>>;

export function useRunReports(steps: RunState["steps"]): RunReports {
  const wanted = useMemo(
    () =>
      Object.entries(steps).flatMap(([id, step]) => {
        const digest = step.outputs.report?.digest;
        return digest ? [{ id, digest }] : [];
      }),
    [steps],
  );
  return useQueries({
    queries: wanted.map(({ digest }) => reportQuery(digest)),
    combine: (results) =>
      Object.fromEntries(
        wanted.flatMap(({ id }, index) => {
          const json = results[index]?.data;
          return json ? [[id, json] as const] : [];
        }),
      ),
  });
}
