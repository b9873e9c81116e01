/** The one figure that stays on a compact node. */
import { useQuery } from "@tanstack/react-query";
import { z } from "zod";
import { headlineOf } from "../results/headlines.ts";
import { useRun } from "../runs/runStore.ts";
import { artifactUrl } from "../shell/upload.ts";
import { nearestResult } from "./nearestResult.ts";
import { useEditor } from "./useEditor.ts";
import { useReport } from "./useReport.ts";

export function useHeadline(id: string): string {
  const run = useRun((s) => s.run);
  const step = run.steps[id];
  const type = useEditor((s) => s.history?.doc.nodes[id]?.type);
  const folder = useEditor((s) => s.history?.doc.nodes[id]?.params.name);
  const report = useReport(step?.outputs.report?.digest);
  const above = useEditor((s) => nearestResult(s.history?.doc, run, id, "images")?.digest);
  const images = useImageCount(step?.outputs.images?.digest ?? above);
  if (type === "export") return `exports/${folder ?? "model"}`;
  return step ? headlineOf(step, report, images) : "";
}

const indexSchema = z.looseObject({ images: z.array(z.unknown()) });

/** Of an images artifact: fetched once, since what a digest names never changes. */
function useImageCount(digest: string | undefined): number | undefined {
  return useQuery({
    queryKey: ["image count", digest],
    enabled: digest !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const response = await fetch(artifactUrl(digest ?? "", "index.json"));
      if (!response.ok) throw new Error("The images are no longer stored.");
      return indexSchema.parse(await response.json()).images.length;
    },
  }).data;
}
