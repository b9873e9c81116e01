/** `nodeView` with this tab's editor and run; what all nodes share is worked out once for a document and a run. */
import { useMemo } from "react";
import type { Diagnostic } from "../../nodes/define.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { checkPipeline } from "../../pipelines/document/check.ts";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { useRun } from "../runs/runStore.ts";
import { type NodeView, nodeView, staleNodes } from "./nodeView.ts";
import { useDoc, useEditor } from "./useEditor.ts";

/** Remembers the last answer: every node asks the same question of the same documents. */
function lastOnly<A, B, R>(compute: (a: A, b: B) => R): (a: A, b: B) => R {
  let last: { readonly a: A; readonly b: B; readonly result: R } | undefined;
  return (a, b) => {
    if (!last || last.a !== a || last.b !== b) last = { a, b, result: compute(a, b) };
    return last.result;
  };
}

const NOTHING_STALE: ReadonlyMap<string, string> = new Map();
const staleIn = lastOnly((ran: PipelineDoc | undefined, now: PipelineDoc | undefined) =>
  ran && now ? staleNodes(nodeDefs, ran, now) : NOTHING_STALE,
);
const problemsIn = lastOnly((doc: PipelineDoc | undefined, _: null): readonly Diagnostic[] =>
  doc ? checkPipeline(nodeDefs, doc) : [],
);

export function useProblems(): readonly Diagnostic[] {
  return problemsIn(useDoc(), null);
}

/** What the document lacks at a node, and what the server added when it was asked to run (a compiler that is absent). */
export function useNodeProblems(id: string): readonly Diagnostic[] {
  const local = useProblems();
  const said = useRun(({ run }) => run.diagnostics);
  const ran = useRun(({ doc }) => doc);
  const doc = useDoc();
  return useMemo(() => {
    const fresh = staleIn(ran, doc).has(id) ? [] : said;
    const all = [...local, ...fresh].filter((p) => p.nodeId === id);
    return all.filter((p, index) => all.findIndex((other) => other.message === p.message) === index);
  }, [id, local, said, ran, doc]);
}

/** Draws a node again only where its own step, staleness or problem changed, not at each edit of another. */
export function useNodeView(id: string): NodeView {
  const isError = (p: Diagnostic) => p.nodeId === id && p.severity === "error";
  const step = useRun(({ run }) => run.steps[id]);
  const ran = useRun(({ doc }) => doc);
  const said = useRun(({ run }) => run.diagnostics.find(isError));
  const stale = useEditor((s) => staleIn(ran, s.history?.doc).get(id));
  const local = useEditor((s) => problemsIn(s.history?.doc, null).find(isError));
  const problem = local ?? (stale ? undefined : said);
  return useMemo(() => nodeView({ step, stale, problem }), [step, stale, problem]);
}
