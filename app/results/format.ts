/** Figures as text, one way everywhere: three significant digits, no leading zero in accuracies, unit after the figure. */

export const NONE = "–";

export function figureText(value: unknown, show: (value: number) => string): string | undefined {
  return typeof value === "number" && Number.isFinite(value) ? show(value) : undefined;
}

/** `3.27`, `0.41`, `107`. */
export function significant(value: number): string {
  const abs = Math.abs(value);
  if (abs >= 100 || value === 0) return Math.round(value).toLocaleString("en");
  return value.toFixed(abs >= 10 ? 1 : abs >= 0.1 ? 2 : 3);
}

export const milliseconds = significant;

/** Accuracies: `.400`. */
export const fraction = (value: number): string => value.toFixed(3).replace(/^(-?)0\./, "$1.");

export const megabytes = (count: number): string => significant(count / 1e6);

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${significant(count / 1e3)} kB`;
  if (count < 1e9) return `${significant(count / 1e6)} MB`;
  return `${significant(count / 1e9)} GB`;
}

/** `1×3×352×352`; an unknown dimension is `?`. */
export const shapeText = (shape: readonly unknown[]): string =>
  shape.map((d) => (d === null || d === -1 ? "?" : String(d))).join("×");

/** The change of a figure: `−59 %`. */
export function change(before: number, after: number): string {
  const percent = Math.round((after / before - 1) * 100);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${Math.abs(percent)} %`;
}
