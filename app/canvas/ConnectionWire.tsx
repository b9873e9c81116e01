"use client";
/** The wire being drawn, and, where it is refused, why, beside the pointer. */
import { type ConnectionLineComponentProps, useConnection } from "@xyflow/react";
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { canConnect } from "../../pipelines/document/graph.ts";
import type { FlowNode } from "./flowFromDoc.ts";
import { useDoc } from "./useEditor.ts";
import { wirePath } from "./wirePath.ts";
import { edgeOf } from "./wiring.ts";

export function ConnectionWire(props: ConnectionLineComponentProps<FlowNode>) {
  const { fromX, fromY, toX, toY, fromHandle, connectionStatus } = props;
  const doc = useDoc();
  const kindOf = () => {
    const def = nodeDefs[doc?.nodes[fromHandle.nodeId]?.type ?? ""];
    const port = fromHandle.id ?? "";
    return fromHandle.type === "source" ? def?.outputs[port]?.kind : def?.inputs[port]?.kinds[0];
  };
  const kind = kindOf();
  const [from, to] = [
    { x: fromX, y: fromY },
    { x: toX, y: toY },
  ];
  const { d } = fromHandle.type === "source" ? wirePath(from, to, []) : wirePath(to, from, []);
  return (
    <g className={kind ? `k-${kind}` : undefined}>
      <path className={`wire ${connectionStatus === "invalid" ? "refused" : ""}`} d={d} />
    </g>
  );
}

export function Refusal() {
  const connection = useConnection();
  const doc = useDoc();
  const [pointer, setPointer] = useState({ x: 0, y: 0 });
  const refused = connection.inProgress && connection.toHandle !== null && connection.isValid === false;
  useEffect(() => {
    if (!connection.inProgress) return;
    const move = (event: PointerEvent) => setPointer({ x: event.clientX, y: event.clientY });
    addEventListener("pointermove", move);
    return () => removeEventListener("pointermove", move);
  }, [connection.inProgress]);
  if (!refused || !doc) return null;
  const edge = connection.toHandle ? edgeOf(connection.fromHandle, connection.toHandle) : undefined;
  const verdict = edge ? canConnect(nodeDefs, doc, edge) : undefined;
  const reason = verdict ? (verdict.ok ? undefined : verdict.reason) : "A wire goes from an output to an input.";
  if (!reason) return null;
  const [head, ...rest] = reason.split("; ");
  const style = { left: Math.min(pointer.x + 14, innerWidth - 236), top: pointer.y + 14 };
  return createPortal(
    <div className="tip err refusal" style={style} role="alert" data-testid="refusal">
      <b className="bad">
        {head}
        {rest.length > 0 && ";"}
      </b>{" "}
      {rest.join("; ")}
    </div>,
    document.body,
  );
}
