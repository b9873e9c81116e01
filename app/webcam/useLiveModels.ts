/** The chains of the pipeline in hand, each with the model that the last run left, where it left one. */
import { useMemo } from "react";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { useDoc } from "../canvas/useEditor.ts";
import { shownStep, useRun } from "../runs/runStore.ts";
import { type LiveChain, liveChains } from "./liveChains.ts";

export interface LiveModel extends LiveChain {
  /** Undefined where no run has made it yet. */
  readonly artifact: { readonly digest: string; readonly size?: number; readonly form?: "tree" } | undefined;
}

export function useLiveModels(): readonly LiveModel[] {
  const doc = useDoc();
  const shown = useRun();
  const chains = useMemo(() => (doc ? liveChains(nodeDefs, doc) : []), [doc]);
  return chains.map((chain) => ({
    ...chain,
    artifact: shownStep(shown, chain.model.node)?.outputs[chain.model.port],
  }));
}
