/**
 * A chain of operators that only look at a tensor in another way (Reshape, Transpose, Squeeze, Slice, Gather of one
 * index) reads x at offset + sum of index * stride, as an array view does. Where the whole chain
 *   reads x in order           it is x, or one Reshape of x
 *   reads a box of x, stepped  it is one Slice of x
 * it is replaced by that. A channel shuffle that keeps one half (Reshape, Transpose, Reshape, Gather) is a Slice of
 * every second channel.
 */
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { bypass, forEachNode, isOp, type Rule, staticShape, writerOf } from "./rule.ts";

/** Elements of a tensor in memory: size and stride of each axis. Axes of size 1 may have any stride. */
interface View {
  readonly offset: number;
  readonly axes: readonly { readonly size: number; readonly stride: number }[];
}

function wholeOf(dims: readonly number[]): View {
  let stride = 1;
  const axes = dims.toReversed().map((size) => {
    const axis = { size, stride };
    stride *= size;
    return axis;
  });
  return { offset: 0, axes: axes.toReversed() };
}

/** The view with other axes over the same elements in the same order; undefined where strides do not allow it. */
function reshaped(view: View, dims: readonly number[]): View | undefined {
  // Neighbouring axes that run on into each other are one.
  const runs: { size: number; stride: number }[] = [];
  for (const axis of view.axes) {
    if (axis.size === 1) continue;
    const last = runs.at(-1);
    if (last && last.stride === axis.size * axis.stride) {
      last.size *= axis.size;
      last.stride = axis.stride;
    } else runs.push({ ...axis });
  }
  const axes: { size: number; stride: number }[] = [];
  let run = runs.pop();
  for (const size of dims.toReversed()) {
    if (size === 1) axes.push({ size, stride: 0 });
    else {
      if (!run || run.size % size !== 0) return undefined;
      axes.push({ size, stride: run.stride });
      run = run.size === size ? runs.pop() : { size: run.size / size, stride: run.stride * size };
    }
  }
  return run ? undefined : { offset: view.offset, axes: axes.reverse() };
}

function transposed(view: View, node: Node): View | undefined {
  const perm = node.ints("perm") ?? view.axes.map((_, i) => view.axes.length - 1 - i);
  const axes = perm.flatMap((from) => view.axes[from] ?? []);
  return axes.length === view.axes.length ? { offset: view.offset, axes } : undefined;
}

/** A Gather of one index takes one position of an axis and drops the axis. */
function gathered(view: View, node: Node): View | undefined {
  const index = node.inputs[1]?.constant;
  const at = index?.dims.length === 0 ? index.numbers?.[0] : undefined;
  const given = node.int("axis") ?? 0;
  const place = given < 0 ? given + view.axes.length : given;
  const axis = view.axes[place];
  if (at === undefined || !axis) return undefined;
  const position = at < 0 ? at + axis.size : at;
  return { offset: view.offset + position * axis.stride, axes: view.axes.filter((_, i) => i !== place) };
}

function sliced(view: View, node: Node): View | undefined {
  const ints = (name: string, index: number) => node.ints(name) ?? node.inputs[index]?.constant?.numbers;
  const starts = ints("starts", 1);
  const sizes = staticShape(node.output());
  const places = node.inputs[3] || node.ints("axes") ? ints("axes", 3) : starts?.map((_, i) => i);
  const steps = node.inputs[4] ? node.inputs[4].constant?.numbers : starts?.map(() => 1);
  if (!starts || !sizes || !places || !steps) return undefined;
  const axes = view.axes.map((axis, i) => ({ size: sizes[i] ?? axis.size, stride: axis.stride }));
  let { offset } = view;
  for (const [i, given] of places.entries()) {
    const place = given < 0 ? given + axes.length : given;
    const axis = view.axes[place];
    const step = steps[i] ?? 1;
    const start = starts[i] ?? 0;
    if (!axis || step < 1) return undefined;
    offset += Math.min(Math.max(start < 0 ? start + axis.size : start, 0), axis.size) * axis.stride;
    axes[place] = { size: sizes[place] ?? 0, stride: axis.stride * step };
  }
  return { offset, axes };
}

const VIEWS = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Gather", "Slice"];

function through(view: View, node: Node): View | undefined {
  if (isOp(node, "Transpose")) return transposed(view, node);
  if (isOp(node, "Gather")) return gathered(view, node);
  if (isOp(node, "Slice")) return sliced(view, node);
  const dims = staticShape(node.output());
  return dims && !dims.includes(0) ? reshaped(view, dims) : undefined;
}

/** The nodes from an ancestor of `node` to it, that ancestor's value first in line; longest last. */
function* chainsTo(node: Node): Generator<{ readonly x: Value; readonly nodes: readonly Node[] }> {
  const nodes: Node[] = [node];
  for (let x = node.input(0); ; ) {
    const before = writerOf(x, ...VIEWS);
    if (!before) return;
    nodes.unshift(before);
    x = before.input(0);
    yield { x, nodes: [...nodes] };
  }
}

interface Box {
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

/** The box of x that a view of the same rank reads, each axis in its place; undefined where it is none. */
function boxOf(view: View, dims: readonly number[]): Box | undefined {
  if (view.axes.length !== dims.length) return undefined;
  const whole = wholeOf(dims);
  const box = { axes: [] as number[], starts: [] as number[], ends: [] as number[], steps: [] as number[] };
  let rest = view.offset;
  for (const [i, axis] of whole.axes.entries()) {
    const read = view.axes[i];
    if (!read) return undefined;
    const start = Math.floor(rest / axis.stride);
    rest -= start * axis.stride;
    const step = read.size === 1 ? 1 : read.stride / axis.stride;
    const last = start + (read.size - 1) * step;
    if (!Number.isInteger(step) || step < 1 || last >= axis.size) return undefined;
    if (start === 0 && step === 1 && read.size === axis.size) continue;
    box.axes.push(i);
    box.starts.push(start);
    box.ends.push(last + 1);
    box.steps.push(step);
  }
  return box;
}

function readsInOrder(view: View): boolean {
  let stride = 1;
  for (const axis of view.axes.toReversed()) {
    if (axis.size !== 1 && axis.stride !== stride) return false;
    stride *= axis.size;
  }
  return view.offset === 0;
}

/** The one operator that does what the chain does; undefined where there is none. */
function replacement(view: View, x: Value, node: Node): { opType: string; inputs: readonly number[][] } | undefined {
  const dims = staticShape(x);
  const result = staticShape(node.output());
  if (!dims || !result) return undefined;
  const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  if (readsInOrder(view) && count(dims) === count(result)) return { opType: "Reshape", inputs: [[...result]] };
  const box = boxOf(view, dims);
  return box && { opType: "Slice", inputs: [[...box.starts], [...box.ends], [...box.axes], [...box.steps]] };
}

export const mergeViews: Rule = {
  name: "merge-views",
  apply({ graph, opset }) {
    return forEachNode(graph, (node) => {
      if (!isOp(node, ...VIEWS) || opset < 10) return false;
      for (const { x, nodes } of [...chainsTo(node)].reverse()) {
        const dims = staticShape(x);
        let view = dims && !dims.includes(0) ? wholeOf(dims) : undefined;
        for (const step of nodes) view = view && through(view, step);
        const made = view && replacement(view, x, node);
        if (!made) continue;
        const constants = made.inputs.map((data) =>
          graph.addInitializer(`${node.output().name}_${made.opType.toLowerCase()}`, Tensor.i64([data.length], data)),
        );
        const out = graph.freshName(`${node.output().name}_view`);
        const merged = graph.addNode(
          { opType: made.opType, name: node.name, inputs: [x, ...constants], outputs: [out] },
          node,
        );
        merged.output().type = node.output().type;
        return bypass(node, merged.output());
      }
      return false;
    });
  },
};
