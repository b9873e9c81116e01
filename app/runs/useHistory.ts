/** The last runs of a pipeline with what ran in them and their reports, as they arrive. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { reduceRun } from "../../pipelines/document/reduceRun.ts";
import { reportQuery } from "../canvas/useReport.ts";
import { trpc } from "../trpc.ts";
import { historyRows } from "./history.ts";

const MOST = 12;

export function useHistory(pipeline: string) {
  const { data } = useQuery(trpc.runs.list.queryOptions({ pipeline }));
  const runs = useMemo(() => (data ?? []).filter(({ finishedAt }) => finishedAt !== undefined).slice(0, MOST), [data]);
  const logs = useQueries({
    queries: runs.map(({ runId }) => ({
      ...trpc.runs.get.queryOptions({ runId }),
      staleTime: Number.POSITIVE_INFINITY,
    })),
    combine: (results) => results.map(({ data: log }) => log),
  });
  const wanted = useMemo(
    () =>
      logs.map((log) =>
        Object.entries(reduceRun(log?.events ?? []).steps).flatMap(([id, { outputs }]) =>
          outputs.report ? [{ id, digest: outputs.report.digest }] : [],
        ),
      ),
    [logs],
  );
  const digests = useMemo(() => [...new Set(wanted.flat().map(({ digest }) => digest))], [wanted]);
  const reports = useQueries({
    queries: digests.map((digest) => reportQuery(digest)),
    combine: (results) => new Map(digests.map((digest, index) => [digest, results[index]?.data])),
  });
  return useMemo(
    () =>
      historyRows(
        runs.map((run, index) => ({
          ...run,
          doc: logs[index]?.doc,
          reports: Object.fromEntries((wanted[index] ?? []).map(({ id, digest }) => [id, reports.get(digest)])),
        })),
      ),
    [runs, logs, wanted, reports],
  );
}
