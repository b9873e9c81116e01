/**
 * What changed meaning between the operator sets 7 and 25 (onnx/docs/Changelog.md), each as a rewrite that keeps the
 * node's result. Operators that only took on new types or new optional attributes need none; from 22 on that is all.
 */
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { UpgradeError } from "./upgradeError.ts";

export interface OpsetRewrite {
  /** kebab-case, as reports count it. */
  readonly name: string;
  /** The operator set that brought the change. */
  readonly since: number;
  readonly opTypes: readonly string[];
  /** Changes the node in place; false where it needs no change. */
  readonly apply: (node: Node) => boolean;
}

const REDUCTIONS = "Max Mean Min Prod L1 L2 LogSum LogSumExp SumSquare".split(" ").map((name) => `Reduce${name}`);

export const opsetRewrites: readonly OpsetRewrite[] = [
  { name: "scan-without-batch", since: 9, opTypes: ["Scan"], apply: refuseScan },
  { name: "batch-norm-spatial", since: 9, opTypes: ["BatchNormalization"], apply: dropSpatial },
  { name: "upsample-scales-to-input", since: 9, opTypes: ["Upsample"], apply: upsampleScales },
  { name: "upsample-to-resize", since: 10, opTypes: ["Upsample"], apply: (node) => rename(node, "Resize") },
  { name: "slice-bounds-to-inputs", since: 10, opTypes: ["Slice"], apply: sliceBounds },
  { name: "topk-k-to-input", since: 10, opTypes: ["TopK"], apply: (node) => intsToInput(node, "k", 1) },
  { name: "resize-as-asymmetric", since: 11, opTypes: ["Resize"], apply: asymmetricResize },
  { name: "clip-bounds-to-inputs", since: 11, opTypes: ["Clip"], apply: clipBounds },
  { name: "pad-to-inputs", since: 11, opTypes: ["Pad"], apply: padInputs },
  { name: "scatter-to-scatter-elements", since: 11, opTypes: ["Scatter"], apply: (n) => rename(n, "ScatterElements") },
  { name: "dropout-ratio-to-input", since: 12, opTypes: ["Dropout"], apply: dropoutRatio },
  {
    name: "squeeze-axes-to-input",
    since: 13,
    opTypes: ["Squeeze", "Unsqueeze"],
    apply: (n) => intsToInput(n, "axes", 1),
  },
  { name: "split-sizes-to-input", since: 13, opTypes: ["Split"], apply: (node) => intsToInput(node, "split", 1) },
  { name: "reduce-axes-to-input", since: 13, opTypes: ["ReduceSum"], apply: (node) => intsToInput(node, "axes", 1) },
  { name: "softmax-along-one-axis", since: 13, opTypes: ["Softmax", "LogSoftmax", "Hardmax"], apply: softmaxAxis },
  { name: "batch-norm-outputs", since: 14, opTypes: ["BatchNormalization"], apply: dropStatistics },
  { name: "roi-align-half-pixel", since: 16, opTypes: ["RoiAlign"], apply: roiAlignMode },
  { name: "reduce-axes-to-input", since: 18, opTypes: REDUCTIONS, apply: (node) => intsToInput(node, "axes", 1) },
  { name: "split-count", since: 18, opTypes: ["Split"], apply: splitCount },
  { name: "grid-sample-modes", since: 20, opTypes: ["GridSample"], apply: gridSampleMode },
  { name: "dft-axis-to-input", since: 20, opTypes: ["DFT"], apply: dftAxis },
  { name: "group-norm-per-channel", since: 21, opTypes: ["GroupNormalization"], apply: refuseGroupNorm },
];

function rename(node: Node, opType: string): boolean {
  node.opType = opType;
  return true;
}

function label(node: Node): string {
  return `${node.opType} "${node.name || node.output().name}"`;
}

function constant(node: Node, role: string, tensor: Tensor): Value {
  return node.graph.addInitializer(`${node.output().name}_${role}`, tensor);
}

/** "To the end" is the largest int64 in many files, which a number cannot hold: any bound past the end says the same. */
function ints(node: Node, role: string, values: readonly number[]): Value {
  const bounded = values.map((x) => Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, x)));
  return constant(node, role, Tensor.i64([values.length], bounded));
}

/** An attribute of one or several integers becomes an input. */
function intsToInput(node: Node, name: string, index: number): boolean {
  const one = node.int(name);
  const values = node.ints(name) ?? (one === undefined ? undefined : [one]);
  if (!values) return false;
  node.attributes.delete(name);
  node.setInput(index, ints(node, name, values));
  return true;
}

function dropSpatial(node: Node): boolean {
  const spatial = node.int("spatial");
  if (spatial === undefined) return false;
  if (spatial === 0) {
    throw new UpgradeError(
      `${label(node)} normalises each position on its own (spatial = 0), which newer sets cannot say`,
      "Export the model again in operator set 9 or later.",
    );
  }
  node.attributes.delete("spatial");
  return true;
}

function upsampleScales(node: Node): boolean {
  const scales = node.floats("scales");
  if (!scales) return false;
  node.attributes.delete("scales");
  node.setInput(1, constant(node, "scales", Tensor.f32([scales.length], scales)));
  return true;
}

function sliceBounds(node: Node): boolean {
  const [starts, ends, axes] = [node.ints("starts"), node.ints("ends"), node.ints("axes")];
  if (!starts || !ends) return false;
  for (const name of ["starts", "ends", "axes"]) node.attributes.delete(name);
  node.setInput(1, ints(node, "starts", starts));
  node.setInput(2, ints(node, "ends", ends));
  if (axes) node.setInput(3, ints(node, "axes", axes));
  return true;
}

/**
 * Set 10 maps output x to input x / scale, and rounds down along an axis that grows, up along one that shrinks; since 11
 * that has to be said, one way for all axes, and `roi` comes in between. A scale that is no constant is taken to enlarge.
 */
function asymmetricResize(node: Node): boolean {
  const scales = node.inputs[1] ?? null;
  const factors = scales?.constant?.numbers ?? [];
  const shrinks = factors.some((factor) => factor < 1);
  const nearest = (node.string("mode") ?? "nearest") === "nearest";
  if (nearest && shrinks && factors.some((factor) => factor > 1)) {
    throw new UpgradeError(
      `${label(node)} enlarges one axis and shrinks another by the nearest value, which newer sets round one way only`,
      "Resize one axis after the other, or export the model in operator set 11 or later.",
    );
  }
  node.setInput(1, null);
  node.setInput(2, scales);
  node.set("coordinate_transformation_mode", "asymmetric");
  if (nearest) node.set("nearest_mode", shrinks ? "ceil" : "floor");
  // `roi` is optional in the set but expected by readers of the day.
  node.setInput(1, constant(node, "roi", Tensor.f32([0], [])));
  return true;
}

function clipBounds(node: Node): boolean {
  const [min, max] = [node.float("min"), node.float("max")];
  node.attributes.delete("min");
  node.attributes.delete("max");
  if (min === undefined && max === undefined) return false;
  if (min !== undefined) node.setInput(1, constant(node, "min", Tensor.f32([], [min])));
  if (max !== undefined) node.setInput(2, constant(node, "max", Tensor.f32([], [max])));
  return true;
}

function padInputs(node: Node): boolean {
  const value = node.float("value") ?? 0;
  if (!intsToInput(node, "pads", 1)) return false;
  node.attributes.delete("value");
  if (value !== 0) node.setInput(2, constant(node, "value", Tensor.f32([], [value])));
  return true;
}

function dropoutRatio(node: Node): boolean {
  const ratio = node.float("ratio");
  if (ratio === undefined) return false;
  node.attributes.delete("ratio");
  node.setInput(1, constant(node, "ratio", Tensor.f32([], [ratio])));
  return true;
}

/**
 * Before 13 the axes from `axis` (1 where absent) on were taken together. Where that is the last axis alone, the new
 * form says the same; else the tensor is flattened to two dimensions and shaped back.
 */
function softmaxAxis(node: Node): boolean {
  const axis = node.int("axis") ?? 1;
  const rank = node.input(0).shape?.length;
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) {
    node.set("axis", -1);
    return true;
  }
  const { graph } = node;
  const x = node.input(0);
  const out = node.output();
  const fresh = (role: string) => graph.freshName(`${out.name}_${role}`);
  const shape = graph.addNode({ opType: "Shape", inputs: [x], outputs: [fresh("shape")] }, node).output();
  const flat = graph
    .addNode({ opType: "Flatten", inputs: [x], outputs: [fresh("flat")], attributes: { axis } }, node)
    .output();
  node.setInput(0, flat);
  node.set("axis", -1);
  node.setOutput(0, null);
  node.setOutput(0, graph.addValue(fresh("2d")));
  const after = graph.nodes[graph.nodes.indexOf(node) + 1];
  graph.addNode({ opType: "Reshape", inputs: [node.output(), shape], outputs: [out] }, after);
  return true;
}

/** Older files list the running statistics as outputs that nothing reads in inference. */
function dropStatistics(node: Node): boolean {
  const extra = node.outputs.slice(1);
  if (extra.length === 0) return false;
  if (extra.some((out) => out && (out.uses.length > 0 || out.isGraphOutput))) {
    throw new UpgradeError(
      `${label(node)} gives its statistics to other nodes, as in training`,
      "Export the model for inference.",
    );
  }
  const { graph, name, opType, inputs } = node;
  const out = node.output();
  node.setOutput(0, null);
  const replacement = graph.addNode({ opType, name, inputs: [...inputs], outputs: [out] }, node);
  for (const [key, attribute] of node.attributes) replacement.attributes.set(key, attribute);
  graph.removeNode(node);
  return true;
}

function roiAlignMode(node: Node): boolean {
  if (node.attributes.has("coordinate_transformation_mode")) return false;
  node.set("coordinate_transformation_mode", "output_half_pixel");
  return true;
}

function splitCount(node: Node): boolean {
  if (node.inputs[1]) return false;
  node.set("num_outputs", node.outputs.length);
  return true;
}

function gridSampleMode(node: Node): boolean {
  const names: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };
  const mode = names[node.string("mode") ?? "bilinear"];
  if (mode === undefined) return false;
  node.set("mode", mode);
  return true;
}

function dftAxis(node: Node): boolean {
  const axis = node.int("axis") ?? 1;
  node.attributes.delete("axis");
  node.setInput(2, constant(node, "axis", Tensor.i64([], [axis])));
  return true;
}

/** Set 8 scans each item of a batch for itself, up to a length of its own. */
function refuseScan(node: Node): boolean {
  throw new UpgradeError(
    `${label(node)} is written as in operator set 8, over a batch: no newer Scan says the same, so it is not converted`,
    "Leave the model in operator set 8 (opset 0), or export it in 9 or later.",
  );
}

/** Scale and bias were per group. */
function refuseGroupNorm(node: Node): boolean {
  throw new UpgradeError(
    `${label(node)} is written as before operator set 21, with a scale per group`,
    "Export the model in operator set 21.",
  );
}
