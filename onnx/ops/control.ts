/** If, Loop and Scan: what a value is after either branch, after any number of turns. */
import { DataType } from "../ir/dataType.ts";
import type { Dim, Graph, Node, Shape } from "../ir/graph.ts";
import { axisIn, common, isKnown } from "./dims.ts";
import { type Inferred, type OpDef, type ShapeContext, ShapeError, shapeOf, tensor } from "./op.ts";

function body(node: Node, name: string): Graph {
  const attribute = node.attributes.get(name);
  if (attribute?.type !== "graph") throw new ShapeError(`the attribute ${name} must be a graph`);
  return attribute.value;
}

/** What holds of a value that is `a` or `b`. */
export function either(a: Inferred, b: Inferred): Inferred {
  const sequence = a.sequence && b.sequence && eitherType(a.sequence, b.sequence);
  const type = a.type && b.type && eitherType(a.type, b.type);
  const same = a.elements && b.elements && sameDims(a.elements, b.elements);
  return { ...(type && { type }), ...(sequence && { sequence }), ...(same && { elements: a.elements }) };
}

function eitherType(a: { elemType: number; shape?: Shape }, b: { elemType: number; shape?: Shape }) {
  if (a.elemType !== b.elemType) return undefined;
  if (!a.shape || !b.shape || a.shape.length !== b.shape.length) return { elemType: a.elemType };
  return { elemType: a.elemType, shape: a.shape.map((dim, i) => common(dim, b.shape?.[i] ?? null)) };
}

function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim !== null && dim === b[i]);
}

function sameType(a: Inferred, b: Inferred): boolean {
  const [left, right] = [a.type?.shape, b.type?.shape];
  return (
    left === right || Boolean(left && right && left.length === right.length && left.every((d, i) => d === right[i]))
  );
}

/** The branch that a known condition does not take never runs, and need not be sound. */
function branch(ctx: ShapeContext): readonly Inferred[] {
  const taken = ctx.input(0).elements?.[0];
  if (isKnown(taken)) return ctx.inferBody(body(ctx.node, taken ? "then_branch" : "else_branch"), []);
  const then = ctx.inferBody(body(ctx.node, "then_branch"), []);
  const otherwise = ctx.inferBody(body(ctx.node, "else_branch"), []);
  return then.map((value, i) => either(value, otherwise[i] ?? {}));
}

/** Turns after which the shapes of a loop's state, which may change each turn, are given up. */
const MAX_TURNS = 4;

/**
 * Infers a body whose first `state.length` results come back as its inputs, until their shapes stay as they are.
 * A shape that changes loses the dimensions that change; one that still changes after `MAX_TURNS` loses all.
 */
function settle(
  state: readonly Inferred[],
  turn: (state: readonly Inferred[]) => readonly Inferred[],
): readonly Inferred[] {
  let current = state.map(({ elements: _, ...value }) => value);
  for (let i = 0; i < MAX_TURNS; i++) {
    const results = turn(current);
    const next = current.map((value, k) => either(value, results[k] ?? {}));
    const settled = next.every((value, k) => sameType(value, current[k] ?? {}));
    if (settled) return [...next, ...results.slice(state.length)];
    current = next;
  }
  const rankless = current.map(({ type }) => tensor(type?.elemType));
  return [...rankless, ...turn(rankless).slice(state.length)];
}

/** Inputs: trip count, condition, state. Body: iteration, condition, state -> condition, state, scanned. */
function loop(ctx: ShapeContext): readonly Inferred[] {
  const graph = body(ctx.node, "body");
  const state = ctx.node.inputs.slice(2).map((_, i) => ctx.input(i + 2));
  const results = settle(state, (values) =>
    ctx.inferBody(graph, [tensor(DataType.INT64, []), tensor(DataType.BOOL, []), ...values]).slice(1),
  );
  return [
    ...results.slice(0, state.length),
    // A condition may end the loop early, so the number of turns is not known here.
    ...results.slice(state.length).map(({ type }) => stacked(type, null, 0)),
  ];
}

/** The type with one dimension more: `turns` at `axis`. */
export function stacked(type: Inferred["type"], turns: Dim, axis: number): Inferred {
  if (!type?.shape) return tensor(type?.elemType);
  const at = axisIn(axis, type.shape.length + 1);
  return tensor(type.elemType, [...type.shape.slice(0, at), turns, ...type.shape.slice(at)]);
}

/** Opset 9 and up. Inputs: state, scanned along an axis each; outputs: state, stacked along an axis each. */
function scan(ctx: ShapeContext): readonly Inferred[] {
  const graph = body(ctx.node, "body");
  if (ctx.opset < 9) return scanBatched(ctx, graph);
  const scanned = ctx.node.int("num_scan_inputs") ?? 0;
  const states = ctx.node.inputs.length - scanned;
  let turns: Dim = null;
  const slices = ctx.node.inputs.slice(states).map((_, i): Inferred => {
    const shape = shapeOf(ctx, states + i);
    const elemType = ctx.input(states + i).type?.elemType;
    if (!shape) return tensor(elemType);
    const axis = axisIn(ctx.node.ints("scan_input_axes")?.[i] ?? 0, shape.length);
    turns = shape[axis] ?? turns;
    return tensor(
      elemType,
      shape.filter((_, k) => k !== axis),
    );
  });
  const state = ctx.node.inputs.slice(0, states).map((_, i) => ctx.input(i));
  const results = settle(state, (values) => ctx.inferBody(graph, [...values, ...slices]));
  return [
    ...results.slice(0, states),
    ...results.slice(states).map(({ type }, i) => stacked(type, turns, ctx.node.ints("scan_output_axes")?.[i] ?? 0)),
  ];
}

/** Opset 8: input 0 holds the sequences' lengths, every other tensor starts with the batch. */
function scanBatched(ctx: ShapeContext, graph: Graph): readonly Inferred[] {
  const scanned = ctx.node.int("num_scan_inputs") ?? 0;
  const states = ctx.node.inputs.length - 1 - scanned;
  const batch = shapeOf(ctx, 1)?.[0] ?? null;
  const turns = shapeOf(ctx, 1 + states)?.[1] ?? null;
  const inner = ctx.node.inputs.slice(1).map((_, i): Inferred => {
    const type = ctx.input(i + 1).type;
    return tensor(type?.elemType, type?.shape?.slice(i < states ? 1 : 2));
  });
  return ctx.inferBody(graph, inner).map(({ type }, i) => {
    const lead = i < states ? [batch] : [batch, turns];
    return tensor(type?.elemType, type?.shape && [...lead, ...type.shape]);
  });
}

export const controlOps: readonly OpDef[] = [
  { opType: "If", shape: branch },
  { opType: "Loop", shape: loop },
  { opType: "Scan", shape: scan },
];
