/**
 * Whether TensorRT will take an ONNX model, asked before any builder is: each problem names its node and its mend.
 *
 * The rules are those of the strongly typed importer (TensorRT 10 with `--stronglyTyped`, 11, TensorRT for RTX), each
 * tried on TensorRT for RTX 1.7.1. A builder may still refuse what passes here; what is an error here none accepts
 * with its meaning kept.
 */
import { DataType, dataTypeName } from "../ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../ir/graph.ts";
import { nodeProblems } from "./tensorrtNodeRules.ts";

export interface ReadinessProblem {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** The ONNX node's name, or the input's. */
  readonly node: string;
  readonly message: string;
  readonly fix: string;
}

export interface ShapeRange {
  readonly min: readonly number[];
  readonly opt: readonly number[];
  readonly max: readonly number[];
}

export interface ReadinessOptions {
  /** NVIDIA compute capabilities to build for, for example `8.6`. */
  readonly computeCapabilities: readonly string[];
  /** The optimization profile: shapes of dynamic inputs by name. */
  readonly shapes?: Readonly<Record<string, ShapeRange>>;
  /** TensorRT for RTX lacks the plugins of TensorRT; without it what needs one is a warning. */
  readonly builder?: "trtexec" | "tensorrt-rtx";
}

/** All problems in the order of the graph; needs the types of values (shape inference) to find mixed precisions. */
export async function tensorrtReadiness(model: Model, options: ReadinessOptions): Promise<readonly ReadinessProblem[]> {
  const problems: ReadinessProblem[] = [...inputProblems(model.graph, options)];
  let quantized = false;
  for (const node of allNodes(model.graph)) {
    problems.push(...(await nodeProblems(node, options)));
    quantized ||= node.opType === "QuantizeLinear";
  }
  if (quantized && options.computeCapabilities.includes("7.5")) {
    problems.push({
      code: "int8-on-sm75",
      severity: "warning",
      node: "",
      message: "for compute capability 7.5 the builder accepts INT8, but lets convolutions run in float",
      fix: "Leave 7.5 out of computeCapabilities, or take FP16 there.",
    });
  }
  const below8 = options.computeCapabilities.filter((capability) => Number(capability) < 8);
  if (below8.length > 0 && holdsBfloat16(model.graph)) {
    problems.push({
      code: "capability",
      severity: "error",
      node: "",
      message: `compute capability ${below8.join(", ")} has no BF16`,
      fix: "Leave it out of computeCapabilities, or quantize with format fp16.",
    });
  }
  return problems;
}

function holdsBfloat16({ values }: Graph): boolean {
  return [...values.values()].some(({ type, initializer }) => {
    return (initializer?.dataType ?? type?.elemType) === DataType.BFLOAT16;
  });
}

function* allNodes(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const inner of node.subgraphs) yield* allNodes(inner);
  }
}

/** Types that no TensorRT binding has. Int64 inputs are fine. */
const REFUSED_INPUTS: ReadonlySet<number> = new Set([
  DataType.STRING,
  DataType.INT16,
  DataType.UINT16,
  DataType.UINT32,
  DataType.UINT64,
  DataType.COMPLEX64,
  DataType.COMPLEX128,
]);

function* inputProblems(graph: Graph, { shapes = {} }: ReadinessOptions): Generator<ReadinessProblem> {
  for (const input of graph.feeds) {
    const type = input.type?.elemType;
    if (type !== undefined && REFUSED_INPUTS.has(type)) {
      yield {
        code: "input-type",
        severity: "error",
        node: input.name,
        message: `the input "${input.name}" is ${dataTypeName(type)}, which no engine can take`,
        fix: "Export the model with a float, 8-bit, int32 or int64 input.",
      };
    }
    const range = shapes[input.name];
    if (range) yield* rangeProblems(input, range);
    else if (isDynamic(input)) {
      yield {
        code: "dynamic-input",
        severity: "error",
        node: input.name,
        message: `the input "${input.name}" has the shape ${shapeText(input)}, and an engine needs to know which sizes may come`,
        fix: `Set shapes = {"${input.name}": {"min": [..], "opt": [..], "max": [..]}}, or freeze the input with inputShapes of load-model.`,
      };
    }
  }
  const known = new Set(graph.feeds.map((input) => input.name));
  for (const name of Object.keys(shapes).filter((name) => !known.has(name))) {
    yield rangeProblem(name, `the model has no input "${name}"`);
  }
}

function isDynamic(input: Value): boolean {
  return !input.shape || input.shape.some((dim) => typeof dim !== "number");
}

function* rangeProblems(input: Value, { min, opt, max }: ShapeRange): Generator<ReadinessProblem> {
  const shape = input.shape;
  const rank = shape?.length ?? min.length;
  if ([min, opt, max].some((dims) => dims.length !== rank)) {
    yield rangeProblem(input.name, `min, opt and max of "${input.name}" need ${rank} dimensions each`);
    return;
  }
  for (const [i, low] of min.entries()) {
    const [mid, high] = [opt[i] ?? 0, max[i] ?? 0];
    const fixed = shape?.[i];
    if (!(low <= mid && mid <= high)) {
      yield rangeProblem(input.name, `dimension ${i} of "${input.name}" does not grow from min to opt to max`);
    } else if (typeof fixed === "number" && (low !== fixed || high !== fixed)) {
      yield rangeProblem(input.name, `dimension ${i} of "${input.name}" is ${fixed} in the model`);
    }
  }
}

function rangeProblem(input: string, message: string): ReadinessProblem {
  return { code: "shapes", severity: "error", node: input, message, fix: "Correct the shapes of compile-tensorrt." };
}

function shapeText(value: Value): string {
  return value.shape ? `[${value.shape.map((dim) => dim ?? "?").join(",")}]` : "of unknown rank";
}
