"use client";
/** What a face is given: the node's params, its shown result, and the way to results on other nodes. */
import { useMemo } from "react";
import type { NodeDef } from "../../nodes/define.ts";
import type { FaceProps } from "../../nodes/face.ts";
import { PORT_KINDS } from "../../nodes/ports.ts";
import { parseParams } from "../../pipelines/document/check.ts";
import type { RunOutput } from "../../pipelines/document/events.ts";
import type { StepState } from "../../pipelines/document/reduceRun.ts";
import { shownStep, useRun } from "../runs/runStore.ts";
import { artifactUrl } from "../shell/upload.ts";
import { nearestResult, resultBelow, resultBeside } from "./nearestResult.ts";
import { currentDoc, editor, useEditor } from "./useEditor.ts";
import { useReport } from "./useReport.ts";

const NO_OUTPUTS: Readonly<Record<string, RunOutput>> = {};
const NO_PREVIEWS: readonly { readonly digest: string }[] = [];

export function useFaceProps(id: string, def: NodeDef): Omit<FaceProps, "large"> | undefined {
  const node = useEditor((s) => s.history?.doc.nodes[id]);
  const outputs = useRun((s) => shownStep(s, id)?.outputs ?? NO_OUTPUTS);
  const previews = useRun((s) => shownStep(s, id)?.previews ?? NO_PREVIEWS);
  const report = useReport(outputs.report?.digest);
  const run = useRun((s) => s.run);
  const progress = useRun((s) => runningMessage(s.run.steps[id]));
  return useMemo(() => {
    if (!node) return undefined;
    const parsed = parseParams(def, node);
    return {
      params: "params" in parsed ? parsed.params : node.params,
      outputs: artifactsOf(outputs),
      report,
      progress,
      previews: previews.map((preview) => artifactUrl(preview.digest)),
      artifactUrl,
      upstream: (kind) => nearestResult(currentDoc(), run, id, kind),
      downstream: (kind) => resultBelow(currentDoc(), run, id, kind),
      beside: (kind) => resultBeside(currentDoc(), run, id, kind),
      setParam: (name, value) => editor.apply([{ op: "param", node: id, name, value: jsonOf(value) }]),
    };
  }, [node, def, outputs, previews, report, progress, run, id]);
}

function runningMessage(step: StepState | undefined): string | undefined {
  return step?.state === "running" ? step.progress?.message : undefined;
}

function artifactsOf(outputs: Readonly<Record<string, RunOutput>>): FaceProps["outputs"] {
  const known = Object.entries(outputs).flatMap(([port, { kind, digest, size = 0 }]) => {
    const portKind = PORT_KINDS.find((k) => k === kind);
    return portKind ? [[port, { kind: portKind, digest, size }] as const] : [];
  });
  return Object.fromEntries(known);
}

/** A face's value as a document can hold it. */
const jsonOf = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
