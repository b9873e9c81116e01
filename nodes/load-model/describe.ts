/** Reads a model's report off its graph: interface, operators, cost, silhouette. */
import { cloneModel } from "../../onnx/cloneModel.ts";
import { type ModelCost, modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import { dataTypeName } from "../../onnx/ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../../onnx/ir/graph.ts";
import type { LoadModelReport } from "./report.ts";
import { warningsOf } from "./warnings.ts";

/** More stages than the face can draw are joined, the least work first. */
const MAX_STAGES = 14;

export function describeModel(model: Model, file: { readonly name: string; readonly bytes: number }): LoadModelReport {
  const typed = cloneModel(model);
  const inference = inferShapes(typed);
  const cost = modelCost(typed);
  const nodes = [...allNodes(typed.graph)];
  return {
    kind: "load-model",
    version: 1,
    provenance: "computed",
    file: file.name,
    fileBytes: file.bytes,
    producer: model.producerName,
    irVersion: model.irVersion,
    opset: model.opset,
    opsets: Object.fromEntries(Array.from(model.opsetImports, ([domain, version]) => [domain || "ai.onnx", version])),
    inputs: typed.graph.feeds.map(valueReport),
    outputs: typed.graph.outputs.map(valueReport),
    nodes: nodes.length,
    operators: histogram(nodes),
    parameters: cost.parameters,
    weightBytes: cost.weightBytes,
    ...(cost.macs !== undefined && { macs: cost.macs }),
    ...(cost.peakActivationBytes !== undefined && { peakActivationBytes: cost.peakActivationBytes }),
    stages: stagesOf(cost),
    warnings: warningsOf(typed, nodes, inference),
  };
}

export function* allNodes(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const sub of node.subgraphs) yield* allNodes(sub);
  }
}

function valueReport({ name, type }: Value): LoadModelReport["inputs"][number] {
  if (!type) return { name };
  return { name, dtype: dataTypeName(type.elemType), ...(type.shape && { shape: [...type.shape] }) };
}

function histogram(nodes: readonly Node[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { domain, opType } of nodes) {
    const name = domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}

type Stage = LoadModelReport["stages"][number];

/**
 * The network's silhouette by depth, the longest way from an input: at each, the tallest feature map (N, C, H, W) that a
 * convolution writes. So parallel branches of several sizes draw as one shape.
 */
function stagesOf(cost: ModelCost): Stage[] {
  const levels: Stage[] = [];
  const depths = new Map<Node, number>();
  for (const { node, macs } of cost.perNode) {
    const before = node.inputs.map((value) => (value?.producer && depths.get(value.producer)) ?? 0);
    const depth = Math.max(0, ...before) + 1;
    depths.set(node, depth);
    const shape = node.outputs[0]?.shape;
    const [, channels, height] = shape ?? [];
    if (!macs || !/Conv/.test(node.opType) || shape?.length !== 4) continue;
    if (typeof channels !== "number" || typeof height !== "number" || channels < 1 || height < 1) continue;
    const level = levels[depth];
    levels[depth] = level ? joined(level, { height, channels, macs }) : { height, channels, macs };
  }
  const stages: Stage[] = [];
  for (const level of levels) {
    if (!level) continue;
    const last = stages.at(-1);
    if (last?.height === level.height) stages[stages.length - 1] = joined(last, level);
    else stages.push(level);
  }
  while (stages.length > MAX_STAGES) joinSmallest(stages);
  return stages;
}

function joined(a: Stage, b: Stage): Stage {
  const taller = a.height >= b.height ? a : b;
  const channels = a.height === b.height ? Math.max(a.channels, b.channels) : taller.channels;
  return { height: taller.height, channels, macs: a.macs + b.macs };
}

/** Gives the stage with the least work to its neighbour. */
function joinSmallest(stages: Stage[]): void {
  let least = 0;
  for (const [i, stage] of stages.entries()) if (stage.macs < (stages[least]?.macs ?? 0)) least = i;
  const at = least === 0 ? 1 : least - 1;
  const [small, into] = [stages[least], stages[at]];
  if (small && into) stages[at] = { ...into, macs: into.macs + small.macs };
  stages.splice(least, 1);
  const [before, after] = [stages[least - 1], stages[least]];
  if (before && after && before.height === after.height) stages.splice(least - 1, 2, joined(before, after));
}
