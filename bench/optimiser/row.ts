/** What a row is, and what rows share: making each variant's model in turn, then judging them together. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PipelineResult } from "./edgewright.ts";
import type { ProcessFigures } from "./measuredProcess.ts";
import type { Peers } from "./peers.ts";
import type { Found, VariantResult } from "./result.ts";

export interface Bench {
  readonly peers: Peers | undefined;
  /** A folder of this run, removed after it. */
  readonly folder: string;
  readonly rounds: number;
  /** Undefined: all. */
  readonly tools: readonly string[] | undefined;
  readonly slow: boolean;
  say(line: string): void;
}

export interface Row {
  /** What `--only` names. */
  readonly id: string;
  readonly title: string;
  readonly bar?: string;
  /** Of the table, measured in November 2026 on a machine of this kind. */
  readonly bestPeer?: string;
  run(bench: Bench): Promise<readonly VariantResult[]>;
}

export interface Variant {
  readonly name: string;
  readonly tool: string;
  /** Too slow to be run more than once. */
  readonly once?: boolean;
  /** Takes many minutes: only with `--slow`. */
  readonly slow?: boolean;
  /** Writes a model to `out`. */
  make(out: string): Promise<ProcessFigures & Partial<Pick<PipelineResult, "reports">>>;
}

export interface Made {
  readonly variant: Variant;
  readonly path: string;
  readonly runs: readonly (ProcessFigures & { readonly reports?: Readonly<Record<string, unknown>> })[];
  readonly failed?: string;
}

/** Runs the variants' programs round by round, so that what else the machine does falls on all of them. */
export async function makeAll(bench: Bench, id: string, variants: readonly Variant[]): Promise<readonly Made[]> {
  const folder = join(bench.folder, id);
  mkdirSync(folder, { recursive: true });
  const made = new Map<Variant, { runs: Made["runs"]; failed?: string }>();
  const wanted = variants.filter(({ tool, slow }) => isWanted(bench, tool) && (!slow || bench.slow));
  const pathOf = (variant: Variant) => join(folder, `${variants.indexOf(variant)}.onnx`);
  for (let round = 0; round < bench.rounds; round++) {
    for (const variant of wanted) {
      const known = made.get(variant) ?? { runs: [] };
      if (known.failed !== undefined || (variant.once && round > 0)) continue;
      try {
        const ended = await variant.make(pathOf(variant));
        made.set(variant, { runs: [...known.runs, ended] });
        bench.say(`  ${variant.name}: ${ended.seconds.toFixed(1)} s`);
      } catch (error) {
        const failed = error instanceof Error ? error.message : String(error);
        made.set(variant, { ...known, failed });
        bench.say(`  ${variant.name}: ${failed}`);
      }
    }
  }
  return [...made].map(([variant, { runs, failed }]) => ({
    variant,
    path: pathOf(variant),
    runs,
    ...(failed !== undefined && { failed }),
  }));
}

function isWanted({ tools, peers }: Bench, tool: string): boolean {
  if (tools && !tools.includes(tool)) return false;
  return tool === "edgewright" || tool === "none" || Boolean(peers?.versions[tool]);
}

/** The figures of the process, and the size against the original's. */
export function processFigures(made: Made, original?: string): VariantResult {
  const { variant, runs, path, failed } = made;
  const base = { name: variant.name, tool: variant.tool };
  if (failed !== undefined) return { ...base, failed };
  const cpu = runs.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  const memory = runs.flatMap(({ peakRssBytes }) => peakRssBytes ?? []);
  const largest = runs.flatMap(({ largestRssBytes }) => largestRssBytes ?? []);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  return {
    ...base,
    seconds: median(runs.map(({ seconds }) => seconds)),
    ...(cpu.length > 0 && { cpuSeconds: median(cpu) }),
    ...(memory.length > 0 && { peakRssMb: median(memory) / 2 ** 20 }),
    ...(largest.length > 0 && { largestRssMb: median(largest) / 2 ** 20 }),
    ...(size !== undefined && { sizeMb: size / 1e6 }),
    ...(size !== undefined && original && { sizeShare: size / statSync(original).size }),
    ...foundIn(runs.at(-1)?.reports),
  };
}

/** What a row keeps of a report, by its kind. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  quantize: ["ranges", "steps"],
  autotune: ["front", "chosen"],
};
const POINT = ["speedup", "sizeShare", "sqnrDb", "mAP"];

function foundIn(reports: Readonly<Record<string, unknown>> | undefined): { found?: Found } {
  const found = Object.values(reports ?? {}).flatMap((report) => {
    const entries = Object.entries(report ?? {});
    const kept = KEPT[String(Object.fromEntries(entries).kind)] ?? [];
    return entries.filter(([key]) => kept.includes(key)).map(([key, value]) => [key, brief(key, value)] as const);
  });
  return found.length > 0 ? { found: Object.fromEntries(found) } : {};
}

/** Of a point of the front its figures, not the layers it is made of. */
function brief(key: string, value: unknown): unknown {
  if (key === "front" && Array.isArray(value)) return value.map((point) => brief("chosen", point));
  if (key !== "chosen") return value;
  return Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => POINT.includes(name)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
