"use client";
/** Each run as a point: how much faster than its baseline, and how accurate. Measured filled, estimated hollow. */
import { useRouter } from "next/navigation";
import { fraction, significant } from "../results/format.ts";
import { type HistoryRow, type TradeOffPoint, tradeOffPoints } from "./history.ts";
import { Empty } from "./parts.tsx";
import { ticks } from "./timeline.ts";
import { useWidth } from "./useWidth.ts";

const HEIGHT = 190;
const LEFT = 34;
const BASE = 150;

export function TradeOffCard({ rows, current }: { readonly rows: readonly HistoryRow[]; readonly current: string }) {
  const [ref, width] = useWidth();
  const points = tradeOffPoints(rows, current);
  const shown = rows.find(({ runId }) => runId === current) ?? rows[0];
  return (
    <section className="card span-3" data-testid="trade-off-card">
      <header>
        <h2>Accuracy against speed</h2>
      </header>
      <div className="pad" ref={ref}>
        {points.length === 0 ? (
          <Empty>Needs evaluate and profile of both models</Empty>
        ) : (
          <Plot
            points={points}
            current={current}
            baseline={shown?.before?.value}
            name={shown?.accuracyName ?? ""}
            width={width}
          />
        )}
      </div>
    </section>
  );
}

interface PlotProps {
  readonly points: readonly TradeOffPoint[];
  readonly current: string;
  /** Accuracy of the original, at a speed of 1. */
  readonly baseline: number | undefined;
  readonly name: string;
  readonly width: number;
}

function Plot({ points, current, baseline, name, width }: PlotProps) {
  const x = scale([1, ...points.map(({ speed }) => speed.value)], LEFT + 14, width - 14);
  const y = scale(
    [...(baseline === undefined ? [] : [baseline]), ...points.map(({ accuracy }) => accuracy.value)],
    BASE - 14,
    14,
  );
  return (
    <svg className="chart" width={width} height={HEIGHT} role="img" aria-label={`${name} against speed`}>
      <path className="axis" d={`M${LEFT + 0.5} 0V${BASE + 0.5}H${width}`} />
      {x.marks.map((mark) => (
        <text key={mark} x={x.at(mark)} y={BASE + 16} textAnchor="middle">
          {significant(mark)}×
        </text>
      ))}
      {y.marks.map((mark) => (
        <text key={mark} x={LEFT - 6} y={y.at(mark) + 4} textAnchor="end">
          {fraction(mark).replace(/0$/, "")}
        </text>
      ))}
      <text x={LEFT} y={HEIGHT - 4}>
        {name} ↑
      </text>
      <text x={width} y={HEIGHT - 4} textAnchor="end">
        speed →
      </text>
      {baseline !== undefined && (
        <g>
          <rect className="baseline" x={x.at(1) - 4} y={y.at(baseline) - 4} width={8} height={8} />
          <text
            x={x.at(1)}
            y={y.at(baseline) > BASE - 30 ? y.at(baseline) - 10 : y.at(baseline) + 18}
            textAnchor="middle"
          >
            FP32
          </text>
        </g>
      )}
      {points
        .map((point) => (
          <Point
            key={point.runId}
            point={point}
            at={[x.at(point.speed.value), y.at(point.accuracy.value)]}
            current={current}
          />
        ))
        .reverse()}
    </svg>
  );
}

interface PointProps {
  readonly point: TradeOffPoint;
  readonly at: readonly [number, number];
  readonly current: string;
}

function Point({ point: { runId, label, speed, accuracy }, at: [cx, cy], current }: PointProps) {
  const router = useRouter();
  const kind = speed.provenance === "estimated" ? "hollow" : "";
  const words = `${label}: ${fraction(accuracy.value)} at ${significant(speed.value)}×${kind && ", estimated"}`;
  const dot = (
    <circle className={`${runId === current ? "a" : "b"} ${kind}`} cx={cx} cy={cy} r={runId === current ? 6 : 5}>
      <title>{words}</title>
    </circle>
  );
  if (runId === current) return dot;
  const open = () => router.push(`/runs/${runId}`);
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG has no anchor that the router follows
    <g
      role="link"
      tabIndex={0}
      aria-label={words}
      onClick={open}
      onKeyDown={(event) => event.key === "Enter" && open()}
    >
      {dot}
    </g>
  );
}

/** Values on a line from one pixel to another, with a few round marks; equal values stand in the middle. */
function scale(values: readonly number[], from: number, to: number) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const start = high === low ? low - span / 2 : low;
  const step = ticks(span, 3)[1] ?? span;
  const first = Math.ceil(start / step - 1e-9);
  const marks = Array.from({ length: 6 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
  return {
    at: (value: number) => from + ((value - start) / span) * (to - from),
    marks: marks.filter((mark) => mark <= start + span * 1.001),
  };
}
