/** The file is checked whole first, so that a wrong line is told before an hour of work, then read again as it is fed. */
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { TensorItem } from "../ports.ts";
import { withTotal } from "../streams.ts";
import { parseExample, tensorOf } from "./example.ts";
import { linesOf } from "./jsonLines.ts";
import { type Census, censusOf } from "./report.ts";
import { loadTensors } from "./schema.ts";
import { isApart } from "./setApart.ts";

export const run = implementNode(loadTensors, async (ctx, _, { setApart }) => {
  const [file, ...more] = ctx.sources.source ?? [];
  if (!file) {
    const fix = "Set source to a JSON-lines file: one example a line, its arrays named as the model's inputs are.";
    throw new UserError("no-source", "No tensors are set.", fix);
  }
  if (more.length > 0) throw new UserError("many-files", "The source is a folder.", "Set source to one file.");
  const path = await ctx.artifacts.filePath(file);
  const census = await censusOf(linesOf(path), ctx.signal);
  const apart = Math.min(setApart, Math.floor(census.examples / 2));
  const split = apart > 0;
  const report = await ctx.artifacts.report({
    kind: "tensors",
    version: 1,
    provenance: "computed",
    examples: census.examples,
    setApart: apart,
    tensors: Object.fromEntries(census.tensors),
  });
  const goesApart = (i: number) => isApart(i, apart, census.examples);
  const stream = (wanted: (index: number) => boolean, total: number) =>
    withTotal(examples({ path, census, wanted, signal: ctx.signal }), total);
  return {
    tensors: stream((i) => !split || !goesApart(i), census.examples - apart),
    calibration: stream((i) => !split || goesApart(i), split ? apart : census.examples),
    report,
  };
});

interface Reading {
  readonly path: string;
  readonly census: Census;
  readonly wanted: (index: number) => boolean;
  readonly signal: AbortSignal;
}

async function* examples({ path, census, wanted, signal }: Reading): AsyncGenerator<TensorItem> {
  let index = 0;
  for await (const line of linesOf(path)) {
    signal.throwIfAborted();
    if (!wanted(index++)) continue;
    const tensors = [...parseExample(line)].map(
      ([name, field]) => [name, tensorOf(field, census.tensors.get(name)?.type === "int64")] as const,
    );
    const id = `line-${String(line.number).padStart(6, "0")}`;
    yield { frame: { id, index: index - 1, width: 0, height: 0 }, tensors: Object.fromEntries(tensors) };
  }
}
