"use client";
/** Wires that leave the view carry the other node's name at the edge of the canvas; a click goes there. */
import { useReactFlow, useStore } from "@xyflow/react";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { type Endpoint, type PipelineDoc, parseEndpoint } from "../../pipelines/document/doc.ts";
import { own } from "../../pipelines/document/own.ts";
import { NODE_WIDTH, type Point, portY } from "./nodeGeometry.ts";
import { useDoc } from "./useEditor.ts";

interface Tag {
  readonly id: string;
  /** Further nodes that are wired to the same port and out of sight. */
  readonly more: number;
  readonly side: "left" | "right";
  readonly y: number;
}
interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
  readonly width: number;
  readonly height: number;
}

const AT_MOST = 6;

export function EdgeTags() {
  const doc = useDoc();
  const flow = useReactFlow();
  const [x, y, zoom] = useStore((s) => s.transform);
  const width = useStore((s) => s.width);
  const height = useStore((s) => s.height);
  if (!doc || width === 0) return null;
  return tagsOf(doc, { x, y, zoom, width, height }).map((tag) => (
    <button
      type="button"
      key={`${tag.side}${tag.y}${tag.id}`}
      className="edge-tag"
      style={{ top: tag.y, [tag.side]: -1 }}
      onClick={() => void flow.fitView({ nodes: [{ id: tag.id }], maxZoom: zoom, minZoom: zoom, duration: 160 })}
    >
      {tag.side === "left" && "‹ "}
      {tag.id}
      {tag.more > 0 && ` +${tag.more}`}
      {tag.side === "right" && " ›"}
    </button>
  ));
}

function tagsOf(doc: PipelineDoc, view: View): Tag[] {
  const tags = new Map<string, Tag>();
  const add = (port: string, tag: Tag | undefined) => {
    const first = tags.get(port);
    if (tag) tags.set(port, first ? { ...first, more: first.more + 1 } : tag);
  };
  for (const edge of doc.edges) {
    const [from, to] = [parseEndpoint(edge.from), parseEndpoint(edge.to)];
    add(edge.to, tagOf(doc, view, { here: to, there: from, side: "left" }));
    add(edge.from, tagOf(doc, view, { here: from, there: to, side: "right" }));
  }
  return [...tags.values()].slice(0, AT_MOST);
}

interface End {
  readonly here: Endpoint;
  readonly there: Endpoint;
  readonly side: "left" | "right";
}

/** A tag where this end's port is in sight and the other node is not, on the side where the wire leaves. */
function tagOf(doc: PipelineDoc, view: View, { here, there, side }: End): Tag | undefined {
  const port = portPlace(doc, here, side);
  const other = doc.nodes[there.node];
  if (!port || !other) return undefined;
  const at = onScreen(port, view);
  const margin = 24;
  if (at.x < margin || at.x > view.width - margin || at.y < 0 || at.y > view.height) return undefined;
  const corner = onScreen(other.position, view);
  const gone = side === "left" ? corner.x + NODE_WIDTH * view.zoom <= 0 : corner.x >= view.width;
  if (!gone) return undefined;
  return { id: there.node, more: 0, side, y: Math.min(view.height - 70, Math.max(4, at.y - 10)) };
}

function portPlace(doc: PipelineDoc, end: Endpoint, side: "left" | "right"): Point | undefined {
  const node = doc.nodes[end.node];
  const def = node && own(nodeDefs, node.type);
  if (!node || !def) return undefined;
  const index = Object.keys(side === "left" ? def.inputs : def.outputs).indexOf(end.port);
  return { x: node.position.x + (side === "left" ? 0 : NODE_WIDTH), y: node.position.y + portY(Math.max(0, index)) };
}

const onScreen = (p: Point, { x, y, zoom }: View): Point => ({ x: p.x * zoom + x, y: p.y * zoom + y });
