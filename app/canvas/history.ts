/** Undo as a list of documents: each edit leaves the document before it, under the name of what was done. */
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { applyEdit, describeEdit, type Edit } from "../../pipelines/document/edit.ts";

export interface Step {
  readonly doc: PipelineDoc;
  readonly label: string;
}
export interface History {
  readonly doc: PipelineDoc;
  readonly past: readonly Step[];
  readonly future: readonly Step[];
}

export const historyOf = (doc: PipelineDoc): History => ({ doc, past: [], future: [] });

/** Several edits become one step. */
export function edit(history: History, edits: readonly Edit[], label?: string): History {
  const doc = edits.reduce(applyEdit, history.doc);
  const first = edits[0];
  if (!first) return history;
  const name = label ?? describeEdit(first);
  return { doc, past: [...history.past, { doc: history.doc, label: name }], future: [] };
}

export function undo({ doc, past, future }: History): History {
  const last = past.at(-1);
  if (!last) return { doc, past, future };
  return { doc: last.doc, past: past.slice(0, -1), future: [{ doc, label: last.label }, ...future] };
}

export function redo({ doc, past, future }: History): History {
  const [next, ...rest] = future;
  if (!next) return { doc, past, future };
  return { doc: next.doc, past: [...past, { doc, label: next.label }], future: rest };
}
