/**
 * A model run in pieces, one after another, so that of all the tensors one wants to see only a few are in memory at a
 * time: a runtime asked for every activation of a detector at once holds a hundred megabytes of them, twice.
 *
 * A piece ends where what it lets one see reaches `PIECE_BYTES`; what later pieces read goes from one to the next.
 * Nothing is computed twice.
 */
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import { freeTensors } from "../../freeTensors.ts";
import { inferShapes } from "../../infer.ts";
import { dataTypeBits } from "../../ir/dataType.ts";
import type { Model, Node, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { copyOf, nodesBehind } from "../prune/extract.ts";

/** Small enough to stay in a processor cache until they are read, and to leave no memory behind worth a word. */
const PIECE_BYTES = 4 * 2 ** 20;
/** What a dimension counts that is known only when the model runs. */
const UNKNOWN_DIM = 64;

export interface PiecewiseOptions {
  readonly evaluator: Evaluator;
  readonly threads?: number | undefined;
  /** Where few frames come, larger pieces save more time of opening than they cost memory. */
  readonly pieceBytes?: number;
}

interface Piece {
  readonly session: EvaluationSession;
  readonly inputs: readonly string[];
  /** What no later piece reads. */
  readonly last: readonly string[];
}

export class PiecewiseRun implements AsyncDisposable {
  private constructor(private readonly pieces: readonly Piece[]) {}

  /** Throws where the runtime refuses the graph. `wanted` are names of values that nodes write. */
  static async open(
    model: Model,
    wanted: readonly string[],
    { evaluator, threads, pieceBytes = PIECE_BYTES }: PiecewiseOptions,
  ): Promise<PiecewiseRun> {
    const options = { lean: true, ...(threads && { threads }) } as const;
    const parts = canBeCut(model) ? cut(model, wanted, pieceBytes) : [];
    if (parts.length < 2) {
      const session = await evaluator.open(model, { ...options, alsoReturn: wanted });
      const last = [...wanted, ...model.graph.outputs.map(({ name }) => name)];
      return new PiecewiseRun([{ session, inputs: model.graph.feeds.map(({ name }) => name), last }]);
    }
    const pieces: Piece[] = [];
    const opened = new PiecewiseRun(pieces);
    try {
      for (const [i, part] of parts.entries()) {
        const session = await evaluator.open(copyOf(model, part), options);
        const later = new Set(parts.slice(i + 1).flatMap(({ inputs }) => inputs));
        const last = [...part.inputs, ...part.outputs].filter((value) => !later.has(value)).map(({ name }) => name);
        pieces.push({ session, inputs: part.inputs.map(({ name }) => name), last });
      }
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `visit` gets the feeds and everything wanted, some at a time; nothing of it is kept. */
  async run(feeds: HostTensors, visit: (tensors: HostTensors) => void): Promise<void> {
    visit(feeds);
    const known: Record<string, HostTensors[string]> = { ...feeds };
    for (const { session, inputs, last } of this.pieces) {
      const given: Record<string, HostTensors[string]> = {};
      for (const name of inputs) {
        const tensor = known[name];
        if (tensor) given[name] = tensor;
      }
      const results = await session.run(given);
      visit(results);
      Object.assign(known, results);
      const done = last.flatMap((name) => known[name] ?? []).filter((tensor) => !Object.values(feeds).includes(tensor));
      for (const name of last) delete known[name];
      freeTensors(done);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.pieces) await session[Symbol.asyncDispose]();
  }
}

/** Inner graphs read values of the main one, and a file's own operators live outside it: such models run whole. */
function canBeCut({ graph, functions }: Model): boolean {
  return functions.length === 0 && graph.nodes.every((node) => node.subgraphs.length === 0);
}

interface Part {
  readonly inputs: readonly Value[];
  readonly nodes: ReadonlySet<Node>;
  readonly outputs: readonly Value[];
}

function cut(model: Model, names: readonly string[], pieceBytes: number): readonly Part[] {
  const { graph } = model;
  inferShapes(model);
  graph.sortTopologically();
  const wanted = new Set(names.flatMap((name) => graph.values.get(name) ?? []));
  const needed = nodesBehind([...wanted]);
  const order = graph.nodes.filter((node) => needed.has(node));
  const parts: Part[] = [];
  let nodes = new Set<Node>();
  let bytes = 0;
  for (const [i, node] of order.entries()) {
    nodes.add(node);
    for (const value of node.outputs) if (value && wanted.has(value)) bytes += bytesOf(value);
    if (bytes < pieceBytes && i < order.length - 1) continue;
    const part = partOf(nodes, needed, wanted);
    // A graph's input must have a type: where one is unknown the piece goes on.
    if (i < order.length - 1 && part.outputs.some(({ type }) => !type)) continue;
    parts.push(part);
    nodes = new Set();
    bytes = 0;
  }
  return parts;
}

function partOf(nodes: ReadonlySet<Node>, needed: ReadonlySet<Node>, wanted: ReadonlySet<Value>): Part {
  const inputs = new Set<Value>();
  const outputs = new Set<Value>();
  for (const node of nodes) {
    for (const value of node.inputs) {
      if (value && !value.initializer && !(value.producer && nodes.has(value.producer))) inputs.add(value);
    }
    for (const value of node.outputs) {
      if (!value) continue;
      const crosses = value.uses.some((use) => needed.has(use.node) && !nodes.has(use.node));
      if (crosses || wanted.has(value)) outputs.add(value);
    }
  }
  return { inputs: [...inputs], nodes, outputs: [...outputs] };
}

function bytesOf({ type }: Value): number {
  if (!type?.shape) return 0;
  const elements = type.shape.reduce<number>((n, dim) => n * (typeof dim === "number" ? dim : UNKNOWN_DIM), 1);
  return (elements * (dataTypeBits(type.elemType) ?? 32)) / 8;
}
