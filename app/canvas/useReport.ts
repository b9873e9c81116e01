/** The JSON of a report by its digest: fetched once, since what a digest names never changes. */
import { useQuery } from "@tanstack/react-query";
import { z } from "zod";
import { artifactUrl } from "../shell/upload.ts";

export const reportSchema = z.looseObject({ kind: z.string(), provenance: z.string().optional() });
export type ReportJson = z.infer<typeof reportSchema>;

export const reportQuery = (digest: string | undefined) => ({
  queryKey: ["report", digest],
  enabled: digest !== undefined,
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<ReportJson> => {
    const response = await fetch(artifactUrl(digest ?? ""));
    if (!response.ok) throw new Error(`The report is no longer stored (${response.status}).`);
    return reportSchema.parse(await response.json());
  },
});

export const useReport = (digest: string | undefined): ReportJson | undefined => useQuery(reportQuery(digest)).data;
