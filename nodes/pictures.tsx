/** What faces of picture nodes share: a row of thumbnails, and a picture under boxes. */
import { bestPerBox } from "./bestPerBox.ts";
import type { DetectionItem } from "./ports.ts";

const CAPTION = { margin: 0, fontSize: 11, color: "var(--text-2)", overflow: "hidden", whiteSpace: "nowrap" } as const;

export interface ThumbnailsProps {
  readonly urls: readonly string[];
  readonly alt: string;
  readonly caption?: string;
  readonly large: boolean;
}

/** Three beside each other over one line of words; opened, as many as there are, in full. */
export function Thumbnails({ urls, alt, caption, large }: ThumbnailsProps) {
  const shown = large ? urls : urls.slice(0, 3);
  const image = large
    ? ({ width: "100%", borderRadius: 4 } as const)
    : ({ width: "100%", height: caption ? 76 : 96, objectFit: "cover", borderRadius: 4 } as const);
  const columns = large ? "repeat(auto-fill, minmax(240px, 1fr))" : `repeat(${Math.max(1, shown.length)}, 1fr)`;
  return (
    <div style={large ? { display: "grid", gap: 8 } : { width: 216, height: 96, display: "grid", gap: 4 }}>
      <div style={{ display: "grid", gridTemplateColumns: columns, gap: 4 }}>
        {shown.map((url, i) => (
          // biome-ignore lint/performance/noImgElement: faces know nothing of the framework around them.
          <img key={url} src={url} alt={`${alt} ${i + 1}`} style={image} />
        ))}
      </div>
      {caption && <p style={CAPTION}>{caption}</p>}
    </div>
  );
}

export interface BoxedPictureProps {
  readonly item: DetectionItem;
  /** Without an address the boxes lie on an empty frame. */
  readonly url?: string;
  /** Boxes below it are not drawn. */
  readonly minScore: number;
  readonly height?: number;
}

/** The picture, whole, and its boxes in the hue of vision; the surer the clearer. */
export function BoxedPicture({ item, url, minScore, height }: BoxedPictureProps) {
  const { width, height: rows } = item;
  const line = Math.max(width, rows) / 120;
  const size = height ? { height, width: Math.min(148, (height * width) / rows) } : { width: "100%" };
  const boxes = sureBoxes(item, minScore);
  const label = `${item.frame}: ${summary(item, minScore).join(", ") || "nothing found"}`;
  return (
    <svg viewBox={`0 0 ${width} ${rows}`} role="img" aria-label={label} style={{ ...size, borderRadius: 4 }}>
      <title>{label}</title>
      <rect width={width} height={rows} fill="var(--surface-3)" />
      {url && <image href={url} width={width} height={rows} />}
      {boxes.map(({ box: [x, y, w, h], score, class: name }) => (
        <rect
          key={`${x} ${y} ${w} ${h} ${name}`}
          x={x}
          y={y}
          width={w}
          height={h}
          fill="var(--cat-vision)"
          fillOpacity={0.12}
          stroke="var(--cat-vision)"
          strokeOpacity={0.4 + 0.6 * score}
          strokeWidth={line}
        >
          <title>{`${name} ${Math.round(score * 100)}%`}</title>
        </rect>
      ))}
    </svg>
  );
}

/** `3 person`, `1 dog`: classes by how often they were found. */
export function summary(item: DetectionItem, minScore: number): string[] {
  const counts = new Map<string, number>();
  for (const { class: name } of sureBoxes(item, minScore)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} ${name}`);
}

export function sureBoxes({ detections }: DetectionItem, minScore: number): DetectionItem["detections"] {
  return bestPerBox(detections.filter(({ score }) => score >= minScore));
}
