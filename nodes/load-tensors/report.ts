/** What the file holds, checked whole before anything is fed: examples, and each tensor's type and sizes. */
import { z } from "zod";
import { UserError } from "../context.ts";
import { parseExample } from "./example.ts";
import type { Line } from "./jsonLines.ts";

const tensorSummary = z.object({
  type: z.enum(["int64", "float32"]),
  /** Numbers of the smallest and of the largest example. */
  least: z.number(),
  most: z.number(),
});

/** What the face reads of the report. */
export const tensorsReport = z.object({
  kind: z.literal("tensors"),
  examples: z.number(),
  setApart: z.number(),
  tensors: z.record(z.string(), tensorSummary),
});
export type TensorsReport = z.infer<typeof tensorsReport>;

export interface Census {
  readonly examples: number;
  readonly tensors: ReadonlyMap<string, z.infer<typeof tensorSummary>>;
}

/** Throws `different-tensors` with the line's number where a line has other tensors than the first. */
export async function censusOf(lines: AsyncIterable<Line>, signal: AbortSignal): Promise<Census> {
  const tensors = new Map<string, z.infer<typeof tensorSummary>>();
  let examples = 0;
  for await (const line of lines) {
    signal.throwIfAborted();
    const fields = parseExample(line);
    if (examples++ > 0 && [...tensors.keys()].sort().join("\n") !== [...fields.keys()].sort().join("\n")) {
      throw new UserError(
        "different-tensors",
        `Line ${line.number} has the tensors ${[...fields.keys()].join(", ")}, those before it ${[...tensors.keys()].join(", ")}.`,
        "Give every line the same fields.",
      );
    }
    for (const [name, { values, whole }] of fields) {
      const seen = tensors.get(name);
      tensors.set(name, {
        type: whole && seen?.type !== "float32" ? "int64" : "float32",
        least: Math.min(values.length, seen?.least ?? values.length),
        most: Math.max(values.length, seen?.most ?? 0),
      });
    }
  }
  if (examples === 0) throw new UserError("no-examples", "The file has no line.", "Write one example a line.");
  return { examples, tensors };
}
