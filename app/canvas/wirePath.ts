/**
 * The way of a wire: it leaves and arrives horizontally; where the short way would cross a node, it runs in a corridor
 * between the rows. Pure geometry on canvas pixels.
 */
import type { Box, Point } from "./nodeGeometry.ts";

/** A wire keeps this distance from the nodes it passes. */
const CLEARANCE = 14;
/** Longer wires run level rather than across the canvas. */
const SHORT = 240;
/** Between wires of different kinds in one corridor. */
const LANE = 4;
/** Width of the turn into and out of a corridor. */
const TURN = 52;

export interface WirePath {
  /** SVG path data. */
  readonly d: string;
  /** Where a label stands. */
  readonly middle: Point;
}

/** `lane` sets wires apart that run in the same corridor: 0 keeps closest to the nodes. */
export function wirePath(from: Point, to: Point, boxes: readonly Box[], lane = 0): WirePath {
  const dx = to.x - from.x;
  const short = dx <= SHORT || Math.abs(to.y - from.y) < 1;
  if (dx >= 16 && short && !crosses(sampled(from, to), boxes)) return direct(from, to);
  const y = corridor(from, to, boxes, lane);
  return y === undefined ? direct(from, to) : along(from, to, y);
}

function direct(from: Point, to: Point): WirePath {
  const bend = bendOf(from, to);
  const d = `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
  return { d, middle: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 } };
}

const bendOf = (from: Point, to: Point): number => Math.min(120, Math.max(18, Math.abs(to.x - from.x) / 2));

function along(from: Point, to: Point, y: number): WirePath {
  const forward = to.x - from.x;
  if (forward < 2 * TURN) return around(from, to, y);
  const turn = Math.min(TURN, forward / 2);
  const a = from.x + turn;
  const b = to.x - turn;
  const half = turn / 2;
  const d =
    `M${from.x} ${from.y}C${from.x + half} ${from.y} ${a - half} ${y} ${a} ${y}H${b}` +
    `C${b + half} ${y} ${to.x - half} ${to.y} ${to.x} ${to.y}`;
  return { d, middle: { x: (a + b) / 2, y } };
}

/** Out to the right, back along the corridor, and in from the left. */
function around(from: Point, to: Point, y: number): WirePath {
  const d =
    `M${from.x} ${from.y}C${from.x + TURN} ${from.y} ${from.x + TURN} ${y} ${from.x} ${y}` +
    `H${to.x}C${to.x - TURN} ${y} ${to.x - TURN} ${to.y} ${to.x} ${to.y}`;
  return { d, middle: { x: (from.x + to.x) / 2, y } };
}

/** Points of the direct curve, close enough that no node of the usual size fits between two. */
function sampled(from: Point, to: Point): Point[] {
  const bend = bendOf(from, to);
  const n = Math.max(8, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 24));
  return Array.from({ length: n - 1 }, (_, i) => {
    const t = (i + 1) / n;
    const u = 1 - t;
    const w = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t] as const;
    return {
      x: w[0] * from.x + w[1] * (from.x + bend) + w[2] * (to.x - bend) + w[3] * to.x,
      y: (w[0] + w[1]) * from.y + (w[2] + w[3]) * to.y,
    };
  });
}

function crosses(points: readonly Point[], boxes: readonly Box[]): boolean {
  return boxes.some((box) => points.some((p) => inside(p, box)));
}

function inside(p: Point, box: Box): boolean {
  return p.x > box.x + 2 && p.x < box.x + box.width - 2 && p.y > box.y + 2 && p.y < box.y + box.height - 2;
}

/** The height of a free horizontal lane with the least detour; undefined where every lane is blocked. */
function corridor(from: Point, to: Point, boxes: readonly Box[], lane: number): number | undefined {
  const around = to.x - from.x < 2 * TURN;
  const left = Math.min(from.x, to.x) - (around ? TURN : 0);
  const right = Math.max(from.x, to.x) + (around ? TURN : 0);
  const clear = CLEARANCE + lane * LANE;
  const near = boxes.filter((box) => box.x < right && box.x + box.width > left);
  const lanes = [from.y, to.y, ...near.flatMap((box) => [box.y - clear, box.y + box.height + clear])];
  const free = lanes.filter(
    (y) => !near.some((box) => y > box.y - CLEARANCE + 1 && y < box.y + box.height + CLEARANCE - 1 && spans(box)),
  );
  function spans(box: Box): boolean {
    const inner = Math.min(TURN / 2, (right - left) / 4);
    return box.x < right - inner && box.x + box.width > left + inner;
  }
  const cost = (y: number) => Math.abs(y - from.y) + Math.abs(y - to.y);
  return free.sort((a, b) => cost(a) - cost(b))[0];
}
