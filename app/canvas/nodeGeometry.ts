/**
 * Where everything of a node stands, in canvas pixels, known without measuring: header 34, summary 16, gap 8, face 96,
 * gap 14, ports 24 each, foot 8. A node keeps this box in every state and at every zoom.
 */
import type { NodeDef } from "../../nodes/define.ts";

export const NODE_WIDTH = 240;
export const FACE_HEIGHT = 96;
export const PORT_HEIGHT = 24;
const PORTS_TOP = 34 + 16 + 8 + FACE_HEIGHT + 14;
const FOOT = 8;
/** Side of the square around a port that can be hit; the port's mark stands in its middle, on the node's edge. */
export const HANDLE = 24;
/** Below this zoom a node is compact. */
export const COMPACT_ZOOM = 0.8;

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export function nodeHeight(def: NodeDef | undefined): number {
  const rows = def ? Math.max(Object.keys(def.inputs).length, Object.keys(def.outputs).length) : 0;
  return PORTS_TOP + rows * PORT_HEIGHT + FOOT;
}

/** Middle of the nth port of a side, from the node's top. */
export const portY = (index: number): number => PORTS_TOP + index * PORT_HEIGHT + PORT_HEIGHT / 2;

export function nodeBox(position: Point, def: NodeDef | undefined): Box {
  return { x: position.x, y: position.y, width: NODE_WIDTH, height: nodeHeight(def) };
}
