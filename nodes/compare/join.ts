/**
 * Joins the reports of two variants. Only what both sides or one side state is compared; nothing is filled in: a figure
 * that a side lacks stays absent, an estimate stays an estimate.
 */
import { UserError } from "../context.ts";

export type ReportJson = Readonly<Record<string, unknown>>;

interface Metric {
  /** Kind of the report and path in it. */
  readonly from: string;
  readonly path: readonly string[];
  readonly label: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
}

const METRICS: readonly Metric[] = [
  { from: "profile", path: ["p50Ms"], label: "Latency p50", unit: "ms", better: "lower" },
  { from: "profile", path: ["p90Ms"], label: "Latency p90", unit: "ms", better: "lower" },
  { from: "profile", path: ["p99Ms"], label: "Latency p99", unit: "ms", better: "lower" },
  { from: "profile", path: ["cpuMs"], label: "CPU time a run", unit: "ms", better: "lower" },
  { from: "profile", path: ["throughput"], label: "Throughput", unit: "1/s", better: "higher" },
  { from: "profile", path: ["sizeBytes"], label: "Size", unit: "B", better: "lower" },
  { from: "profile", path: ["peakMemoryBytes"], label: "Peak memory", unit: "B", better: "lower" },
  { from: "evaluate", path: ["mAP"], label: "mAP", unit: "", better: "higher" },
  { from: "evaluate", path: ["mAP50"], label: "mAP50", unit: "", better: "higher" },
  { from: "evaluate", path: ["top1"], label: "Top-1", unit: "", better: "higher" },
  { from: "evaluate", path: ["top5"], label: "Top-5", unit: "", better: "higher" },
];

export interface CompareRow {
  readonly metric: string;
  readonly label: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly baseline?: number;
  readonly candidate?: number;
  /** Candidate divided by baseline. */
  readonly ratio?: number;
  readonly best?: "baseline" | "candidate" | "equal";
  readonly provenance: { readonly baseline?: string; readonly candidate?: string };
  /** Of estimates. */
  readonly interval?: { readonly baseline?: unknown; readonly candidate?: unknown };
}

export interface Comparison {
  readonly rows: readonly CompareRow[];
  readonly warnings: readonly string[];
}

export function joinReports(baseline: readonly ReportJson[], candidate: readonly ReportJson[]): Comparison {
  const sides = { baseline: byKind(baseline, "baseline"), candidate: byKind(candidate, "candidate") };
  const rows = [...METRICS, ...classMetrics(sides), ...agreementMetrics(sides)].flatMap(
    (metric) => row(metric, sides) ?? [],
  );
  return { rows, warnings: [...differences(sides)] };
}

interface Sides {
  readonly baseline: ReadonlyMap<string, ReportJson>;
  readonly candidate: ReadonlyMap<string, ReportJson>;
}

function byKind(reports: readonly ReportJson[], side: string): ReadonlyMap<string, ReportJson> {
  const found = new Map<string, ReportJson>();
  for (const report of reports) {
    const kind = String(report.kind);
    if (found.has(kind)) {
      throw new UserError(
        "two-of-a-kind",
        `two ${kind} reports are wired to ${side}`,
        "Wire one of each kind to a side; a further variant takes a compare of its own.",
      );
    }
    found.set(kind, report);
  }
  return found;
}

/** The accuracy of each class that either side names. */
function classMetrics({ baseline, candidate }: Sides): readonly Metric[] {
  const classes = new Set<string>();
  for (const side of [baseline, candidate]) {
    const perClass = side.get("evaluate")?.perClass;
    if (typeof perClass === "object" && perClass !== null) for (const name of Object.keys(perClass)) classes.add(name);
  }
  return [...classes].sort().map((name) => ({
    from: "evaluate",
    path: ["perClass", name, "AP50"],
    label: `${name} AP50`,
    unit: "",
    better: "higher",
  }));
}

/** How near each output is to the original's, which the original has no figure for. */
function agreementMetrics({ candidate }: Sides): readonly Metric[] {
  const outputs = candidate.get("agreement")?.outputs;
  if (typeof outputs !== "object" || outputs === null) return [];
  return Object.keys(outputs)
    .sort()
    .flatMap((name): Metric[] => {
      const figure = (key: string, label: string, unit: string): Metric => ({
        from: "agreement",
        path: ["outputs", name, key],
        label: `${name} ${label}`,
        unit,
        better: "higher",
      });
      return [
        figure("cosineMean", "cosine", ""),
        figure("cosineMin", "least cosine", ""),
        figure("sqnrDb", "SQNR", "dB"),
      ];
    });
}

function row(metric: Metric, sides: Sides): CompareRow | undefined {
  const [left, right] = [sides.baseline.get(metric.from), sides.candidate.get(metric.from)];
  const [baseline, candidate] = [numberAt(left, metric.path), numberAt(right, metric.path)];
  if (baseline === undefined && candidate === undefined) return undefined;
  const { from, path, label, unit, better } = metric;
  const provenance = {
    ...(baseline !== undefined && { baseline: String(left?.provenance) }),
    ...(candidate !== undefined && { candidate: String(right?.provenance) }),
  };
  const interval = { ...intervalOf(left, metric, "baseline"), ...intervalOf(right, metric, "candidate") };
  return {
    metric: [from, ...path].join("."),
    label,
    unit,
    better,
    ...(baseline !== undefined && { baseline }),
    ...(candidate !== undefined && { candidate }),
    ...(baseline !== undefined &&
      candidate !== undefined && {
        ...(baseline !== 0 && { ratio: candidate / baseline }),
        best: best(better, baseline, candidate),
      }),
    provenance,
    ...(Object.keys(interval).length > 0 && { interval }),
  };
}

function best(better: "lower" | "higher", baseline: number, candidate: number): CompareRow["best"] {
  if (baseline === candidate) return "equal";
  return candidate < baseline === (better === "lower") ? "candidate" : "baseline";
}

/** An estimate states `interval: {p50Ms: [low, high]}`. */
function intervalOf(report: ReportJson | undefined, { path }: Metric, side: string): Record<string, unknown> {
  const interval = valueAt(report, ["interval", ...path]);
  return interval === undefined ? {} : { [side]: interval };
}

function numberAt(report: ReportJson | undefined, path: readonly string[]): number | undefined {
  const value = valueAt(report, path);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function valueAt(report: ReportJson | undefined, path: readonly string[]): unknown {
  let value: unknown = report;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** What must be equal for figures to compare, by report. */
const CONDITIONS: readonly { from: string; path: readonly string[]; what: string }[] = [
  { from: "profile", path: ["provenance"], what: "how the latency came about" },
  { from: "profile", path: ["target"], what: "the target" },
  { from: "profile", path: ["runtime"], what: "the runtime" },
  { from: "profile", path: ["threads"], what: "the number of threads" },
  { from: "profile", path: ["conditions", "cpu"], what: "the CPU" },
  { from: "profile", path: ["conditions", "cores"], what: "the number of cores" },
  { from: "evaluate", path: ["images"], what: "the number of images" },
];
const COMPARED = new Set(METRICS.map((metric) => metric.from));

function* differences({ baseline, candidate }: Sides): Generator<string> {
  for (const { from, path, what } of CONDITIONS) {
    const [a, b] = [valueAt(baseline.get(from), path), valueAt(candidate.get(from), path)];
    if (a !== undefined && b !== undefined && a !== b) yield `${what} differs: ${a} and ${b}`;
  }
  for (const side of [baseline, candidate]) {
    const busy = valueAt(side.get("profile"), ["conditions", "otherProcessesCpuShare"]);
    const name = side === baseline ? "baseline" : "candidate";
    if (typeof busy === "number" && busy > 0.2) {
      yield `other programs took ${Math.round(busy * 100)} % of the CPU while the ${name} was timed`;
    }
    for (const kind of side.keys()) if (!COMPARED.has(kind)) yield `a ${kind} report of the ${name} is not compared`;
  }
}
