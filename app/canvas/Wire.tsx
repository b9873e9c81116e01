"use client";
/** A wire: one line for an artifact, two for a stream, with dashes that move in the gap while data flows. */
import type { EdgeProps } from "@xyflow/react";
import { createContext, useContext, useMemo } from "react";
import { isStreamKind, type PortKind } from "../../nodes/ports.ts";
import { useRun } from "../runs/runStore.ts";
import type { FlowEdge } from "./flowFromDoc.ts";
import { type Box, HANDLE } from "./nodeGeometry.ts";
import { wirePath } from "./wirePath.ts";

/** The boxes of all nodes as the document has them: wires go around these, and are laid anew when a drag ends. */
export const Obstacles = createContext<readonly Box[]>([]);

/** Kinds that often share a corridor, nearest to the nodes first. */
const LANES: readonly PortKind[] = ["model", "images", "settings", "report", "tensors", "detections"];

export function Wire(props: EdgeProps<FlowEdge>) {
  const { sourceX, sourceY, targetX, targetY, source, target, data } = props;
  const boxes = useContext(Obstacles);
  const kind = data?.kind;
  const { d } = useMemo(() => {
    const from = { x: sourceX - HANDLE / 2, y: sourceY };
    const to = { x: targetX + HANDLE / 2, y: targetY };
    return wirePath(from, to, boxes, kind ? LANES.indexOf(kind) : 0);
  }, [sourceX, sourceY, targetX, targetY, boxes, kind]);
  const flowing = useRun(({ run }) => run.steps[source]?.state === "running" || run.steps[target]?.state === "running");
  const failed = useRun(({ run }) => run.steps[target]?.state === "failed");
  const stream = kind !== undefined && isStreamKind(kind);
  return (
    <g className={kind ? `k-${kind}` : undefined}>
      <path className={`wire ${stream ? "double" : ""} ${failed ? "failed" : ""}`} d={d} />
      {stream && !failed && <path className="wire-gap" d={d} />}
      {stream && flowing && <path className="wire-flow" d={d} />}
      <path className="react-flow__edge-interaction wire-hit" d={d} />
    </g>
  );
}
