/** Boxes with class and score as an SVG of the picture's size. Pure. */
import { bestPerBox } from "../bestPerBox.ts";
import type { Detection } from "../ports.ts";
import { strokeText, strokeTextWidth } from "./strokeFont.ts";

/** Told apart by lightness too, and dark text reads on each. */
const COLOURS = [
  "#3fc1b0",
  "#f2b450",
  "#7fb2ff",
  "#f58f8a",
  "#c59bf0",
  "#9bd06a",
  "#f3a6d0",
  "#e4e06a",
  "#8fd9f2",
  "#d9a784",
];

export function boxesSvg(
  size: { readonly width: number; readonly height: number },
  boxes: readonly Detection[],
): string {
  const side = Math.min(size.width, size.height);
  const line = Math.max(1.5, side / 240);
  const letter = Math.max(7, side / 48);
  // The surest on top.
  const drawn = bestPerBox(boxes).reverse();
  const svgs = drawn.map((box) => boxSvg(box, { line, letter: Math.min(letter, Math.max(6, smallSide(box) / 6)) }));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${svgs.join("")}</svg>`;
}

/** Tags of small boxes are small, so that a crowd is not hidden behind its names. */
function smallSide({ box }: Detection): number {
  return Math.min(box[2], box[3]);
}

interface Sizes {
  readonly line: number;
  readonly letter: number;
}

function boxSvg(
  { classId, class: name, score, box: [x, y, width, height] }: Detection,
  { line, letter }: Sizes,
): string {
  const colour = COLOURS[classId % COLOURS.length];
  const text = `${name.slice(0, 24)} ${Math.round(score * 100)}%`;
  const pad = letter / 2;
  const tagHeight = letter + 2 * pad;
  // Inside of the box where there is no room above it.
  const tagY = y >= tagHeight ? y - tagHeight : y;
  const tagWidth = strokeTextWidth(text, letter) + 2 * pad;
  const letters = strokeText(text, { x: x + pad, y: tagY + pad }, letter);
  const rect = (r: readonly number[]) => `x="${f(r[0])}" y="${f(r[1])}" width="${f(r[2])}" height="${f(r[3])}"`;
  return (
    `<rect ${rect([x, y, width, height])} fill="none" stroke="${colour}" stroke-width="${f(line)}"/>` +
    `<rect ${rect([x, tagY, tagWidth, tagHeight])} fill="${colour}"/>` +
    `<path d="${letters}" fill="none" stroke="#0b1214" stroke-width="${f(letter / 6)}" stroke-linecap="round" stroke-linejoin="round"/>`
  );
}

function f(x = 0): string {
  return x.toFixed(1);
}
