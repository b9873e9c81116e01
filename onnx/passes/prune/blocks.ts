/**
 * Whole blocks: a residual branch that does little becomes what it is on average, a constant a channel, and the layers
 * behind are refitted. A block is an Add of a value and of a branch that is computed from it.
 *
 * Greedy: each step takes out the branch whose loss at the outputs is least for the work saved, and measures the others
 * anew.
 */
import type { Evaluator } from "../../evaluator.ts";
import { inferShapes } from "../../infer.ts";
import type { Graph, Model, Node, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import { sampleChannels } from "../../kernels/channelSamples.ts";
import type { PassContext } from "../pass.ts";
import { ShrinkingCosts } from "./costs.ts";
import { nodesBehind } from "./extract.ts";
import { OutputLoss, TRIAL_ITEMS } from "./outputLoss.ts";
import { PruneRefusal } from "./pruneRefusal.ts";
import { type RepairedLayer, repair } from "./repair.ts";
import { spread } from "./sensitivity.ts";

export interface BlockOptions {
  /** Share of the multiply-accumulates to keep. */
  readonly keep: number;
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  readonly repair: boolean;
}

export interface BlockEntry {
  /** The Add. */
  readonly node: string;
  /** Of the model's multiply-accumulates. */
  readonly macsShare: number;
  readonly removed: boolean;
  /** Constants that its nodes read. */
  readonly constants: readonly string[];
  /** What the outputs lost without it when it was last tried, as a share of how much they vary. */
  readonly loss: number;
}

export interface BlockOutcome {
  readonly blocks: readonly BlockEntry[];
  readonly macsBefore: number;
  readonly macsAfter: number;
  readonly repaired: readonly RepairedLayer[];
}

interface Block {
  readonly add: Node;
  readonly skip: Value;
  readonly branch: Value;
  /** What nothing else needs. */
  readonly nodes: readonly Node[];
  readonly macs: number;
  loss: number;
}

/** Changes the model in place; types must be inferred and constants be initializers. */
export async function pruneBlocks(model: Model, options: BlockOptions, ctx: PassContext): Promise<BlockOutcome> {
  const { evaluator, items, keep } = options;
  const costs = new ShrinkingCosts(model.graph, []);
  const blocks = blocksOf(model.graph, costs);
  if (blocks.length === 0) {
    throw new PruneRefusal(
      "nothing-to-prune",
      "this model has no residual block: no Add of a value and of a branch computed from it",
      "Take out channels instead.",
    );
  }
  const outputs = await OutputLoss.of(model, spread(items, TRIAL_ITEMS), evaluator);
  const original = outputs.copy();
  const means = await branchMeans(model, blocks, options);
  const constants = new Map(blocks.map((block) => [block, constantsOf(block)]));
  const gone: Block[] = [];
  let left = costs.macs;
  while (left > costs.macs * keep && gone.length < blocks.length) {
    const rest = blocks.filter((block) => !gone.includes(block));
    for (const block of rest) {
      ctx.signal?.throwIfAborted();
      const copy = outputs.copy();
      for (const each of [...gone, block]) bypass(copy.graph, each, means);
      block.loss = await outputs.of(copy);
    }
    const price = ({ loss, macs }: Block) => loss / Math.max(1, macs);
    const next = rest.toSorted((a, b) => price(a) - price(b))[0];
    if (!next) break;
    gone.push(next);
    left -= next.macs;
    ctx.progress?.(gone.length, blocks.length, "blocks", `took out ${nameOf(next)}`);
  }
  for (const block of gone) bypass(model.graph, block, means);
  dropDead(model.graph);
  inferShapes(model);
  const changed = new Set(gone.map(({ add }) => add.output().name));
  const repaired =
    options.repair && gone.length > 0 ? await repair(original, model, { evaluator, items, changed }, ctx) : [];
  const entries = blocks.map((block) => ({
    node: nameOf(block),
    macsShare: block.macs / costs.macs,
    removed: gone.includes(block),
    constants: constants.get(block) ?? [],
    loss: block.loss,
  }));
  const macsAfter = new ShrinkingCosts(model.graph, []).macs;
  return { blocks: entries, macsBefore: costs.macs, macsAfter, repaired };
}

function nameOf({ add }: Block): string {
  return add.name || add.output().name;
}

function constantsOf({ nodes }: Block): readonly string[] {
  const read = nodes.flatMap((node) => node.inputs).filter((value) => value?.initializer);
  return [...new Set(read.map((value) => value?.name ?? ""))];
}

function blocksOf(graph: Graph, costs: ShrinkingCosts): readonly Block[] {
  return graph.nodes.flatMap((add) => {
    const [a, b] = add.inputs;
    if (add.opType !== "Add" || !a?.producer || !b?.producer) return [];
    const shape = add.output().shape?.join();
    if (a.shape?.join() !== shape || b.shape?.join() !== shape) return [];
    const [skip, branch] = isBehind(b, a) ? [a, b] : [b, a];
    if (!isBehind(branch, skip)) return [];
    const nodes = onlyFor(branch, add, skip);
    const macs = nodes.reduce((sum, node) => sum + costs.of(node), 0);
    return macs > 0 ? [{ add, skip, branch, nodes, macs, loss: 0 }] : [];
  });
}

function isBehind(value: Value, front: Value): boolean {
  return front.producer !== undefined && nodesBehind([value]).has(front.producer);
}

/** Nodes between the skip and the Add whose results go nowhere else. */
function onlyFor(branch: Value, add: Node, skip: Value): readonly Node[] {
  const before = nodesBehind([skip]);
  const dead = new Set<Node>([add]);
  const found: Node[] = [];
  for (const node of [...nodesBehind([branch])].toSorted(byPlace(add.graph)).toReversed()) {
    const isFree = node.outputs.every(
      (out) => !out || (!out.isGraphOutput && out.uses.every((use) => dead.has(use.node))),
    );
    if (before.has(node) || !isFree) continue;
    dead.add(node);
    found.push(node);
  }
  return found;
}

function byPlace(graph: Graph): (a: Node, b: Node) => number {
  const place = new Map(graph.nodes.map((node, i) => [node, i]));
  return (a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0);
}

/** Positions that a mean is taken from, an item. */
const ROWS = 256;

/** By name of the branch: its mean by channel, shaped to be added. */
async function branchMeans(
  model: Model,
  blocks: readonly Block[],
  { evaluator, items }: BlockOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  await using session = await evaluator.open(model, { alsoReturn: blocks.map(({ branch }) => branch.name) });
  const sums = new Map<
    string,
    { readonly sum: Float64Array; readonly rank: number; readonly axis: number; rows: number }
  >();
  for (const [i, item] of items.entries()) {
    const values = await session.run(item);
    for (const { branch } of blocks) {
      const tensor = values[branch.name];
      if (!(tensor?.data instanceof Float32Array)) continue;
      const { data, dims } = tensor;
      // Channels lie in axis 1 of a picture and in the last axis of a sequence.
      const axis = dims.length === 4 ? 1 : dims.length - 1;
      const { columns, rows } = sampleChannels(data, dims, { axis, rows: ROWS, seed: i + 1 });
      const into = sums.get(branch.name) ?? {
        sum: new Float64Array(dims[axis] ?? 0),
        rank: dims.length,
        axis,
        rows: 0,
      };
      sums.set(branch.name, into);
      for (const c of into.sum.keys())
        for (let r = 0; r < rows; r++) into.sum[c] = (into.sum[c] ?? 0) + (columns[c * rows + r] ?? 0);
      into.rows += rows;
    }
  }
  const tensors = [...sums].map(([name, { sum, rank, axis, rows }]) => {
    const dims = Array.from({ length: rank }, (_, i) => (i === axis ? sum.length : 1));
    return [
      name,
      Tensor.f32(
        dims,
        Float32Array.from(sum, (x) => x / rows),
      ),
    ] as const;
  });
  return new Map(tensors);
}

/** In this graph or a copy of it with the same names. */
function bypass(graph: Graph, block: Block, means: ReadonlyMap<string, Tensor>): void {
  const add = graph.values.get(block.add.output().name)?.producer;
  const mean = means.get(block.branch.name);
  if (!add || !mean) return;
  const place = add.inputs.findIndex((value) => value?.name === block.branch.name);
  add.setInput(place, graph.addInitializer(`${block.branch.name}_mean`, mean));
}

function dropDead(graph: Graph): void {
  for (const node of graph.nodes.toReversed()) {
    if (node.outputs.every((out) => !out || (!out.isGraphOutput && out.uses.length === 0))) graph.removeNode(node);
  }
}
