"use client";
/** Wires that leave the view carry the other node's name at the edge of the canvas; a click goes there. */
import { useReactFlow, useStore } from "@xyflow/react";
import { memo } from "react";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { parseEndpoint } from "../../pipelines/document/doc.ts";
import { type Box, nodeBox, portY } from "./nodeGeometry.ts";
import { useDoc } from "./useEditor.ts";

interface Tag {
  readonly id: string;
  readonly side: "left" | "right";
  readonly y: number;
}

const AT_MOST = 6;

export const EdgeTags = memo(function EdgeTags() {
  const doc = useDoc();
  const flow = useReactFlow();
  const [tx, ty, zoom] = useStore((s) => s.transform);
  const width = useStore((s) => s.width);
  const height = useStore((s) => s.height);
  if (!doc || width === 0) return null;
  const boxOf = (id: string): Box | undefined => {
    const node = doc.nodes[id];
    return node && nodeBox(node.position, nodeDefs[node.type]);
  };
  const left = (box: Box) => box.x * zoom + tx;
  const visible = (box: Box) =>
    left(box) + box.width * zoom > 0 &&
    left(box) < width &&
    box.y * zoom + ty < height &&
    (box.y + box.height) * zoom + ty > 0;
  const tags = new Map<string, Tag>();
  for (const edge of doc.edges) {
    const [from, to] = [parseEndpoint(edge.from), parseEndpoint(edge.to)];
    for (const [here, there] of [
      [to, from],
      [from, to],
    ] as const) {
      const [a, b] = [boxOf(here.node), boxOf(there.node)];
      if (!a || !b || !visible(a) || visible(b)) continue;
      const side = left(b) + b.width * zoom <= 0 ? "left" : left(b) >= width ? "right" : undefined;
      if (!side || tags.has(`${side}${there.node}`)) continue;
      const ports = Object.keys(
        (here === to
          ? nodeDefs[doc.nodes[to.node]?.type ?? ""]?.inputs
          : nodeDefs[doc.nodes[from.node]?.type ?? ""]?.outputs) ?? {},
      );
      const y = (a.y + portY(Math.max(0, ports.indexOf(here.port)))) * zoom + ty;
      tags.set(`${side}${there.node}`, { id: there.node, side, y: Math.min(height - 70, Math.max(4, y - 10)) });
    }
  }
  return [...tags.values()].slice(0, AT_MOST).map((tag) => (
    <button
      type="button"
      key={`${tag.side}${tag.id}`}
      className="edge-tag"
      style={{ top: tag.y, [tag.side]: -1 }}
      onClick={() => void flow.fitView({ nodes: [{ id: tag.id }], maxZoom: zoom, minZoom: zoom, duration: 160 })}
    >
      {tag.side === "left" ? `‹ ${tag.id}` : `${tag.id} ›`}
    </button>
  ));
});
