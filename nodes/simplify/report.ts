/** The report of simplify: operators before and after, each rewrite counted, what was left and why, the difference. */
import { z } from "zod";
import type { Model } from "../../onnx/ir/graph.ts";
import type { OutputDifference } from "../../onnx/passes/outputComparison.ts";
import type { PassNote, PassResult } from "../../onnx/passes/pass.ts";
import type { LeftOut, Sound } from "./soundRewrites.ts";

const figures = z.object({ before: z.number(), after: z.number() });

export const simplifyReport = z.object({
  kind: z.literal("simplify"),
  version: z.literal(1),
  provenance: z.literal("computed"),
  /** Version of ai.onnx; absent in reports of before this was an option. */
  opset: figures.optional(),
  nodes: figures,
  initializers: figures,
  sizeBytes: figures,
  operators: z.array(z.object({ opType: z.string(), before: z.number(), after: z.number() })),
  rules: z.array(z.object({ rule: z.string(), count: z.number() })),
  /** What a rule looked at and left, by reason; `nodes` names the first few. */
  left: z.array(z.object({ rule: z.string(), reason: z.string(), count: z.number(), nodes: z.array(z.string()) })),
  /** Rewrites that were tried and would have changed what the model computes, each with what it did. */
  leftOut: z
    .array(z.object({ rule: z.string(), count: z.number(), what: z.string(), relative: z.number().optional() }))
    .optional(),
  /** What a reader must know, once said while it ran. */
  warnings: z.array(z.string()).optional(),
  /** Measured in the runtime; absent where no inputs were wired and none could be made up. */
  difference: z
    .object({
      on: z.enum(["tensors", "noise"]),
      items: z.number(),
      outputs: z.record(
        z.string(),
        z.object({
          relative: z.number(),
          maxAbs: z.number(),
          /** Of integers, NaN and infinities: how many of `elements` are not the same. */
          unequal: z.number().optional(),
          elements: z.number().optional(),
        }),
      ),
    })
    .optional(),
});
export type SimplifyReport = z.infer<typeof simplifyReport>;

/** What is counted of a model before it is changed in place. */
export interface Census {
  readonly opset: number;
  readonly nodes: number;
  readonly initializers: number;
  readonly operators: ReadonlyMap<string, number>;
}

export function censusOf({ graph, opset }: Model): Census {
  const operators = new Map<string, number>();
  for (const { domain, opType } of graph.nodes) {
    const name = domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
    operators.set(name, (operators.get(name) ?? 0) + 1);
  }
  return { opset, nodes: graph.nodes.length, initializers: graph.initializers.length, operators };
}

export interface Findings {
  readonly before: Census;
  readonly after: Census;
  readonly sizeBytes: SimplifyReport["sizeBytes"];
  readonly result: PassResult;
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly string[];
  readonly difference?: {
    readonly on: "tensors" | "noise";
    readonly items: number;
    readonly outputs: Readonly<Record<string, OutputDifference>>;
  };
}

export function describeSimplify({ before, after, sizeBytes, result, difference, leftOut, warnings }: Findings) {
  const names = [...new Set([...before.operators.keys(), ...after.operators.keys()])];
  const operators = names.map((opType) => ({
    opType,
    before: before.operators.get(opType) ?? 0,
    after: after.operators.get(opType) ?? 0,
  }));
  return {
    kind: "simplify" as const,
    version: 1 as const,
    provenance: "computed" as const,
    opset: { before: before.opset, after: after.opset },
    nodes: { before: before.nodes, after: after.nodes },
    initializers: { before: before.initializers, after: after.initializers },
    sizeBytes,
    operators: operators.sort((a, b) => b.before - a.before),
    rules: Object.entries(result.applied).map(([rule, count]) => ({ rule, count })),
    left: leftOf(result.notes),
    ...(leftOut.length > 0 && { leftOut }),
    ...(warnings.length > 0 && { warnings }),
    ...(difference && { difference }),
  };
}

/** In the order of their weight. */
export function warningsOf(verdict: Sound["verdict"], leftOut: readonly LeftOut[]): readonly string[] {
  const out = leftOut.map(({ rule, count, what }) => `Left out ${rule} (${count} times), since with it ${what}.`);
  if (verdict.kind === "same") return [...out, ...verdict.ties];
  if (verdict.kind === "untouched")
    return [...out, `The model is returned as it came: with any rewrite or none ${verdict.why}.`];
  const fix = verdict.wire ? " Wire tensors in to see it done." : "";
  return [...out, `Not compared with the original: ${verdict.why}.${fix}`];
}

const NAMED = 3;

function leftOf(notes: readonly PassNote[]): SimplifyReport["left"] {
  const left = new Map<string, SimplifyReport["left"][number]>();
  for (const { rule, reason, node } of notes) {
    const entry = left.get(`${rule}\n${reason}`) ?? { rule, reason, count: 0, nodes: [] };
    left.set(`${rule}\n${reason}`, entry);
    entry.count++;
    if (entry.nodes.length < NAMED) entry.nodes.push(node);
  }
  return [...left.values()].sort((a, b) => b.count - a.count);
}
