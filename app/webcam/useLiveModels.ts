/** The chains of the pipeline in hand, each with the model that the last run left, where it left one. */

import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { settled as settledNms } from "../../nodes/nms/settled.ts";
import { settled as settledPreprocess } from "../../nodes/preprocess/settled.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { Endpoint } from "../../pipelines/document/doc.ts";
import { useDoc } from "../canvas/useEditor.ts";
import { type ReportJson, reportQuery } from "../canvas/useReport.ts";
import { shownStep, useRun } from "../runs/runStore.ts";
import { type LiveChain, liveChains } from "./liveChains.ts";

export interface LiveModel extends LiveChain {
  /** Undefined where no run has made it yet, or what it wants is still on its way. */
  readonly artifact: { readonly digest: string; readonly size?: number; readonly form?: "tree" } | undefined;
}

export function useLiveModels(): readonly LiveModel[] {
  const doc = useDoc();
  const shown = useRun();
  const chains = useMemo(() => (doc ? liveChains(nodeDefs, doc) : []), [doc]);
  const made = (at: Endpoint | undefined) => at && shownStep(shown, at.node)?.outputs[at.port];
  const wired = chains.flatMap(({ settings }) => [made(settings.preprocess)?.digest, made(settings.nms)?.digest]);
  const told = useQueries({ queries: wired.map(reportQuery) });
  return chains.map((chain, i) => {
    const [pictures, boxes] = [2 * i, 2 * i + 1].map((at) => ({ digest: wired[at], json: told[at]?.data }));
    const waiting = [pictures, boxes].some((one) => one?.digest !== undefined && one.json === undefined);
    return {
      ...chain,
      ...withSettings(chain, pictures?.json, boxes?.json),
      artifact: waiting ? undefined : made(chain.model),
    };
  });
}

/** A model that the project does not know leaves no settings: what is set holds. */
function withSettings({ preprocess, nms }: LiveChain, pictures?: ReportJson, boxes?: ReportJson) {
  return {
    preprocess: pictures ? settledPreprocess(preprocess, pictures).params : preprocess,
    nms: boxes ? settledNms(nms, boxes) : nms,
  };
}
