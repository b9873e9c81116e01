/** Figures and rows as text in columns. An estimate is marked with ≈, a simulated figure with ~; what is unknown is a dash. */

export function cell(figure: number | undefined, unit: string, provenance: string | undefined): string {
  if (figure === undefined) return "–";
  const mark = provenance === "estimated" ? "≈ " : provenance === "simulated" ? "~ " : "";
  if (unit === "B") return `${mark}${bytes(figure)}`;
  const digits = Math.abs(figure) >= 100 ? 0 : Math.abs(figure) >= 1 ? 2 : 3;
  return `${mark}${figure.toFixed(digits)}${unit ? ` ${unit}` : ""}`;
}

export function bytes(size: number): string {
  if (size < 1e3) return `${size} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(0)} kB`;
  return size < 1e9 ? `${(size / 1e6).toFixed(2)} MB` : `${(size / 1e9).toFixed(2)} GB`;
}

/** The first column to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, text] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, text.length);
  return rows
    .map((row) =>
      row
        .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}
