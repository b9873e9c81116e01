/** Nodes left of a graph in standard operators, and the time from process start to the written file. */
import { readFile } from "node:fs/promises";
import { memorySource } from "../../../onnx/ir/tensor.ts";
import { readModel } from "../../../onnx/serde.ts";
import { runPipeline } from "../edgewright.ts";
import type { VariantResult } from "../result.ts";
import { type Bench, type Made, makeAll, processFigures, type Row, type Variant } from "../row.ts";

export interface SimplifyRow {
  readonly id: string;
  readonly title: string;
  readonly bar: string;
  /** Undefined where the graph cannot be had. */
  readonly model: (bench: Bench) => Promise<string | undefined>;
}

export function simplifyRow({ id, title, bar, model }: SimplifyRow): Row {
  return {
    id,
    title: `${title}, simplified`,
    bar,
    async run(bench) {
      const path = await model(bench);
      if (path === undefined) return [];
      const variants = [ours(path), ...theirs(bench, path)];
      const made = await makeAll(bench, id, variants);
      const before: VariantResult = { name: "as exported", tool: "none", nodes: await countNodes(path) };
      return [before, ...(await Promise.all(made.map((entry) => resultOf(entry, path))))];
    },
  };
}

function ours(path: string): Variant {
  return {
    name: "simplify",
    tool: "edgewright",
    make: (out) => runPipeline({ pipeline: "simplify", node: "simplify", set: { "model.source": path } }, out),
  };
}

function theirs({ peers }: Bench, path: string): readonly Variant[] {
  if (!peers) return [];
  return [
    {
      name: "onnxslim",
      tool: "onnxslim",
      make: (out) => peers.run("simplify_onnxslim.py", [path, out]),
    },
    {
      name: "ORT basic",
      tool: "onnxruntime",
      make: (out) => peers.run("simplify_ort.py", [path, out]),
    },
  ];
}

async function resultOf(made: Made, original: string): Promise<VariantResult> {
  const figures = processFigures(made, original);
  if (made.failed !== undefined) return figures;
  const nodes = await countNodes(made.path);
  const relative = largestDifference(made.runs.at(-1)?.reports?.["simplify.report"]);
  return { ...figures, nodes, ...(relative !== undefined && { relative }) };
}

/** As our own report measured it. */
function largestDifference(report: unknown): number | undefined {
  const { difference }: { difference?: { outputs: Record<string, { relative: number }> } } = Object.fromEntries(
    Object.entries(report ?? {}),
  );
  return difference && Math.max(...Object.values(difference.outputs).map(({ relative }) => relative));
}

async function countNodes(path: string): Promise<number> {
  return (await readModel(memorySource(await readFile(path)))).graph.nodes.length;
}
