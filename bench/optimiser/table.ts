/** A row's figures as text, each variant a line; columns that no variant has are left out. */
import type { RowResult, VariantResult } from "./result.ts";

interface Column {
  readonly title: string;
  readonly text: (variant: VariantResult) => string | undefined;
}

const fixed = (value: number | undefined, digits: number) => value?.toFixed(digits);
const decibels = (value: number | null) => (value === null ? "equal" : value.toFixed(1));

export const columns: readonly Column[] = [
  { title: "nodes", text: ({ nodes }) => nodes?.toString() },
  { title: "mAP", text: ({ mAP }) => fixed(mAP, 3) },
  { title: "mAP50", text: ({ mAP50 }) => fixed(mAP50, 3) },
  { title: "person AP50", text: ({ personAP50 }) => fixed(personAP50, 3) },
  { title: "SQNR, dB", text: ({ sqnrDb }) => sqnrDb && Object.values(sqnrDb).map(decibels).join(" / ") },
  {
    title: "cosine mean / min",
    text: ({ cosine }) => cosine && `${cosine.mean.toFixed(4)} / ${cosine.min.toFixed(4)}`,
  },
  { title: "relative", text: ({ relative }) => relative?.toExponential(1) },
  { title: "MACs", text: ({ macs }) => fixed(macs, 2) },
  {
    title: "speed",
    text: ({ speed }) =>
      speed &&
      Object.entries(speed)
        .map(([at, x]) => `${x.toFixed(2)}x${/^\d/.test(at) ? "" : ` (${at})`}`)
        .join(" / "),
  },
  { title: "size", text: ({ sizeShare }) => fixed(sizeShare, 2) },
  { title: "MB", text: ({ sizeMb }) => fixed(sizeMb, 1) },
  { title: "s", text: ({ seconds }) => fixed(seconds, 1) },
  { title: "CPU s", text: ({ cpuSeconds }) => fixed(cpuSeconds, 1) },
  { title: "peak MB", text: ({ peakRssMb }) => fixed(peakRssMb, 0) },
  { title: "largest process, MB", text: ({ largestRssMb }) => fixed(largestRssMb, 0) },
];

/** Header and lines, cells by column; an absent figure is a dash. */
export function cellsOf({ variants }: RowResult): readonly (readonly string[])[] {
  const used = columns.filter(({ text }) => variants.some((variant) => text(variant) !== undefined));
  const lines = variants.map((variant) =>
    variant.failed === undefined
      ? [variant.name, ...used.map(({ text }) => text(variant) ?? "–")]
      : [variant.name, `fails: ${variant.failed}`],
  );
  return [["", ...used.map(({ title }) => title)], ...lines];
}

export function tableOf(row: RowResult): string {
  const cells = cellsOf(row);
  const widths = (cells[0] ?? []).map((_, at) => {
    const lengths = cells.filter((line) => line.length === cells[0]?.length).map((line) => line[at]?.length ?? 0);
    return Math.max(...lengths);
  });
  const lines = cells.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const head = [row.bar && `bar: ${row.bar}`, row.bestPeer && `best peer: ${row.bestPeer}`].filter(Boolean);
  return [...head, ...lines].join("\n");
}
