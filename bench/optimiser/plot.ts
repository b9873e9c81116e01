/** Small plots as SVG text, readable on a light and a dark page: points with names, lines through those of a series. */

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly label?: string;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Joined by a line, in the order of x. */
  readonly line?: boolean;
  /** Ours is filled and coloured, a peer's is an outline. */
  readonly ours?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Larger x to the left. */
  readonly reversed?: boolean;
}

const [WIDTH, HEIGHT] = [640, 400];
const BOX = { left: 60, right: 620, top: 40, bottom: 350 };
const COLOURS = ["#2f80ed", "#d9822b", "#3a9d5d", "#b0479a", "#7a6ff0"];
const GREY = "#808080";

export function plotSvg({ title, x, y, series, reversed = false }: Plot): string {
  const all = series.flatMap(({ points }) => points);
  const [xs, ys] = [scaleOf(all.map((p) => p.x)), scaleOf(all.map((p) => p.y))];
  const along = (share: number, from: number, to: number) => from + share * (to - from);
  const px = (value: number) => along(reversed ? 1 - xs.share(value) : xs.share(value), BOX.left, BOX.right);
  const py = (value: number) => along(ys.share(value), BOX.bottom, BOX.top);
  const text = (at: readonly [number, number], anchor: string, content: string) =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`;
  const grid = [
    ...xs.ticks.map(
      (t) => line([px(t), BOX.top], [px(t), BOX.bottom]) + text([px(t), BOX.bottom + 18], "middle", short(t)),
    ),
    ...ys.ticks.map(
      (t) => line([BOX.left, py(t)], [BOX.right, py(t)]) + text([BOX.left - 8, py(t) + 4], "end", short(t)),
    ),
  ];
  const labels = new Labels();
  const marks = series.map((one, i) => {
    const colour = one.ours ? (COLOURS[i % COLOURS.length] ?? GREY) : GREY;
    const points = one.line ? [...one.points].sort((a, b) => a.x - b.x) : one.points;
    const path = points.map((p) => `${px(p.x).toFixed(1)},${py(p.y).toFixed(1)}`).join(" ");
    return [
      one.line ? `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>` : "",
      ...points.map(
        (p) =>
          `<circle cx="${px(p.x).toFixed(1)}" cy="${py(p.y).toFixed(1)}" r="4" stroke="${colour}" stroke-width="1.5" fill="${one.ours ? colour : "none"}"/>` +
          (p.label ? labels.place(px(p.x), py(p.y), p.label) : ""),
      ),
      one.line && points.at(-1) ? nameOf(one, colour, i) : "",
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="${GREY}" role="img">
<title>${escaped(title)}</title>
<text x="${BOX.left}" y="22" font-size="14" font-weight="600">${escaped(title)}</text>
${grid.join("\n")}
${marks.join("\n")}
${text([(BOX.left + BOX.right) / 2, HEIGHT - 8], "middle", x)}
<text transform="translate(14 ${(BOX.top + BOX.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>
</svg>
`;
}

/** Beside its point, or as many lines below as others leave free. */
class Labels {
  readonly #taken: { readonly from: number; readonly to: number; readonly y: number }[] = [];

  place(x: number, y: number, label: string): string {
    const width = 7 * label.length;
    const from = x + 8 + width > BOX.right ? x - 8 - width : x + 8;
    const meets = (line: number) =>
      this.#taken.some((other) => Math.abs(other.y - line) < 13 && other.from < from + width && from < other.to);
    let line = y - 4;
    while (meets(line)) line += 13;
    this.#taken.push({ from, to: from + width, y: line });
    const [anchor, at] = from < x ? ["end", x - 8] : ["start", x + 8];
    return `<text x="${at.toFixed(1)}" y="${line.toFixed(1)}" text-anchor="${anchor}">${escaped(label)}</text>`;
  }
}

function nameOf({ name }: Series, colour: string, row: number): string {
  return `<text x="${BOX.right}" y="${BOX.top + 14 + row * 16}" text-anchor="end" fill="${colour}">${escaped(name)}</text>`;
}

function line(from: readonly [number, number], to: readonly [number, number]): string {
  return `<line x1="${from[0].toFixed(1)}" y1="${from[1].toFixed(1)}" x2="${to[0].toFixed(1)}" y2="${to[1].toFixed(1)}" stroke="${GREY}" stroke-opacity="0.25"/>`;
}

/** Round steps around the values, with room at both ends. */
function scaleOf(values: readonly number[]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power;
  const from = Math.floor((low - span * 0.05) / step) * step;
  const to = Math.ceil((high + span * 0.05) / step) * step;
  const ticks = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
  return { ticks, share: (value: number) => (value - from) / (to - from) };
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
