/**
 * `npm run bench:optimiser -- --docs`: writes the tables and plots of docs/optimiser.md from results.json. A table stands
 * between `<!-- row ID -->` and `<!-- end -->`; the words around it are a person's.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Plot, plotSvg, type Series } from "./plot.ts";
import type { RowResult, VariantResult } from "./result.ts";
import { cellsOf, columns } from "./table.ts";

const MARK = /<!-- (row|methods|front|summary) ([\w-]+) -->[\s\S]*?<!-- end -->/g;

export function writeDocument(results: readonly RowResult[], docs: string): void {
  const path = join(docs, "optimiser.md");
  const folder = join(docs, "optimiser");
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(path, "utf8").replace(MARK, (_, kind: string, id: string) => {
    if (kind === "summary") return `<!-- summary ${id} -->\n${summaryOf(results)}\n<!-- end -->`;
    const row = results.find((result) => result.id === id);
    const plot = row && (kind === "row" ? plotOf(row) : kind === "front" ? searchPlot(row) : undefined);
    const file = `${id}${kind === "front" ? "-front" : ""}.svg`;
    if (plot) writeFileSync(join(folder, file), plotSvg(plot));
    const body = !row
      ? "Not measured yet."
      : kind === "row"
        ? rowText(row)
        : kind === "methods"
          ? methodsText(row)
          : "";
    const image = plot ? `\n![${plot.title}](optimiser/${file})\n` : "";
    return `<!-- ${kind} ${id} -->\n${body}\n${image}<!-- end -->`;
  });
  writeFileSync(path, text);
}

function rowText(row: RowResult): string {
  const [head = [], ...lines] = cellsOf(row);
  const bar = [row.bar && `Bar: ${row.bar}.`, row.bestPeer && `Best peer before: ${row.bestPeer}.`].filter(Boolean);
  const markdown = (cells: readonly string[]) =>
    `| ${[...cells, ...new Array<string>(head.length - cells.length).fill("")].join(" | ")} |`;
  return [
    bar.join(" "),
    "",
    markdown(head),
    `|${head.map(() => "---|").join("")}`,
    ...lines.map(markdown),
    "",
    `${row.machine.replace(/, \d{4}-.*$/, "")}; ${row.time.slice(0, 16).replace("T", " ")} UTC.`,
  ].join("\n");
}

/** Each row that has a bar, with those of our variants that aim at it. */
function summaryOf(results: readonly RowResult[]): string {
  const lines = results.flatMap((row) => {
    const ours = aiming(row);
    if (!row.bar || ours.length === 0) return [];
    return [`| ${row.title} | ${row.bar} | ${row.bestPeer ?? ""} | ${ours.map(inWords).join("<br>")} |`];
  });
  return ["| work | bar | best peer before | ours |", "|---|---|---|---|", ...lines].join("\n");
}

/** The search where there was one, the repaired models of pruning, else the last. */
function aiming({ variants }: RowResult): readonly VariantResult[] {
  const ours = variants.filter(({ tool, failed }) => tool === "edgewright" && failed === undefined);
  const best = ours.filter(({ name }) => name === "autotune" || name.startsWith("repair"));
  return best.length > 0 ? best : ours.slice(-1);
}

function inWords(variant: VariantResult): string {
  const figures = columns.flatMap(({ title, text }) => {
    const value = text(variant);
    return value === undefined ? [] : [`${title} ${value}`];
  });
  return `${variant.name}: ${figures.join("; ")}`;
}

/** What each way to more accuracy gave, dB at the outputs on frames that nothing was fitted to. */
function methodsText({ variants }: RowResult): string {
  const lines = variants.flatMap(({ name, found }) => [
    ...(found?.ranges?.tried ?? []).map(
      ({ method, sqnrDb }) => `| ${name} | ranges: ${method} | | ${sqnrDb.toFixed(1)} | |`,
    ),
    ...(found?.steps ?? []).map(
      ({ step, beforeDb, afterDb, kept }) =>
        `| ${name} | ${step} | ${beforeDb.toFixed(1)} | ${afterDb.toFixed(1)} | ${kept ? "kept" : "left out"} |`,
    ),
  ]);
  if (lines.length === 0) return "Nothing was tried.";
  return ["| | step | before, dB | after, dB | |", "|---|---|---|---|---|", ...lines].join("\n");
}

function plotOf(row: RowResult): Plot | undefined {
  if (row.id.endsWith("-prune")) return prunePlot(row);
  return row.variants.some(({ speed }) => speed) ? frontPlot(row) : undefined;
}

const firstSqnr = ({ sqnrDb }: VariantResult) => Object.values(sqnrDb ?? {})[0] ?? undefined;
const accuracyOf = (variant: VariantResult) => variant.mAP ?? variant.cosine?.mean ?? firstSqnr(variant);

/** Accuracy over speed: each tool's point, and the points among which ours chose. */
function frontPlot({ title, variants }: RowResult): Plot | undefined {
  const y = variants.some(({ mAP }) => mAP !== undefined)
    ? "mAP on the evaluation images"
    : variants.some(({ cosine }) => cosine)
      ? "cosine to FP32, mean"
      : "SQNR of the first output, dB";
  const points = variants.flatMap((variant) => {
    const [x, accuracy] = [Object.values(variant.speed ?? {})[0], accuracyOf(variant)];
    return x === undefined || accuracy === undefined
      ? []
      : [{ x, y: accuracy, label: variant.name, tool: variant.tool }];
  });
  if (points.length === 0) return undefined;
  const ours = points.filter(({ tool }) => tool === "edgewright");
  const theirs = points.filter(({ tool }) => tool !== "edgewright");
  return {
    title,
    x: "speed against FP32, one thread",
    y,
    series: [
      { name: "edgewright", points: ours, ours: true },
      { name: "peers", points: theirs },
    ],
  };
}

/** SQNR of the first output over the multiply-adds left, a line for each way. */
function prunePlot({ title, variants }: RowResult): Plot | undefined {
  const byWay = new Map<string, { x: number; y: number }[]>();
  for (const variant of variants) {
    const [macs, sqnr] = [variant.macs, firstSqnr(variant)];
    if (macs === undefined || sqnr === undefined) continue;
    const way = variant.name.replace(/ [\d.]+$/, "");
    byWay.set(way, [...(byWay.get(way) ?? []), { x: macs, y: sqnr }]);
  }
  const series: Series[] = [...byWay].map(([name, points]) => ({ name, points, line: true, ours: true }));
  if (series.length === 0) return undefined;
  return { title, x: "multiply-adds left", y: "SQNR of the first output, dB", series, reversed: true };
}

/** The search's own front, as it predicted or measured it on calibration images. */
function searchPlot({ title, variants }: RowResult): Plot | undefined {
  const found = variants.find((variant) => variant.found?.front)?.found;
  const points = (found?.front ?? []).flatMap(({ speedup, sqnrDb, mAP }) => {
    const y = mAP ?? sqnrDb;
    return y === undefined ? [] : [{ x: speedup, y }];
  });
  if (points.length === 0) return undefined;
  const y = found?.front?.some(({ mAP }) => mAP !== undefined) ? "mAP" : "SQNR, dB";
  const series = [{ name: "front", points, line: true, ours: true }];
  return { title: `${title}: the search's front`, x: "speed against FP32", y, series };
}
