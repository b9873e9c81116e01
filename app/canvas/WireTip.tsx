"use client";
/** On a wire: the kind that flows, and of its last result the size and shape. */
import { createPortal } from "react-dom";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { parseEndpoint } from "../../pipelines/document/doc.ts";
import { own } from "../../pipelines/document/own.ts";
import { bytes } from "../results/format.ts";
import { shapesOf } from "../results/shapes.ts";
import { useRun } from "../runs/runStore.ts";
import { edgeId } from "./flowFromDoc.ts";
import type { Point } from "./nodeGeometry.ts";
import { PortSymbol } from "./PortSymbol.tsx";
import { useDoc } from "./useEditor.ts";
import { useReport } from "./useReport.ts";

export function WireTip({ id, at }: { readonly id: string; readonly at: Point }) {
  const doc = useDoc();
  const edge = doc?.edges.find((e) => edgeId(e) === id);
  const from = parseEndpoint(edge?.from ?? ".");
  const step = useRun(({ run }) => run.steps[from.node]);
  const report = useReport(step?.outputs.report?.digest);
  const kind = own(nodeDefs, doc?.nodes[from.node]?.type ?? "")?.outputs[from.port]?.kind;
  if (!edge || !kind) return null;
  const size = step?.outputs[from.port]?.size;
  const shapes = kind === "model" ? shapesOf(report) : undefined;
  return createPortal(
    <div className="tip refusal" style={{ left: Math.min(at.x + 14, innerWidth - 236), top: at.y + 14 }}>
      <div className="row">
        <PortSymbol kind={kind} />
        <b>{from.port}</b>
        <span className="muted">{size === undefined ? kind : bytes(size)}</span>
      </div>
      {shapes && <div className="mono muted">{shapes.input}</div>}
    </div>,
    document.body,
  );
}
