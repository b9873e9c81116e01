"use client";
/** How the measured latencies are spread, candidate over baseline, with the percentiles that matter. */
import { milliseconds } from "../results/format.ts";
import { ProvenanceBadge } from "../results/ProvenanceBadge.tsx";
import { Empty, Key } from "./parts.tsx";
import { latencyRange, type ProfileFigures, type Sides } from "./reports.ts";
import { ticks } from "./timeline.ts";
import { useWidth } from "./useWidth.ts";

const HEIGHT = 172;
const BASE = 140;
const TOP = 44;

export function LatencyCard({ sides }: { readonly sides: Sides<ProfileFigures> }) {
  const [ref, width] = useWidth();
  const main = sides.after ?? sides.before;
  const range = latencyRange(sides);
  return (
    <section className="card span-4" data-testid="latency-card">
      <header>
        <h2>Latency</h2>
        <ProvenanceBadge provenance={main?.provenance} />
        <span className="grow" />
        <Key sides={sides} />
      </header>
      <div className="pad" ref={ref}>
        {range ? (
          <Histograms sides={sides} width={width} range={range} />
        ) : (
          <Empty>No measured profile in this run</Empty>
        )}
      </div>
    </section>
  );
}

interface Props {
  readonly sides: Sides<ProfileFigures>;
  readonly width: number;
  readonly range: readonly [number, number];
}

function Histograms({ sides, width, range: [low, high] }: Props) {
  const x = (ms: number) => ((ms - low) / (high - low)) * width;
  const densities = [sides.before?.histogram, sides.after?.histogram].flatMap((histogram) =>
    histogram ? histogram.counts.map((count) => count / histogram.binMs) : [],
  );
  const tallest = Math.max(...densities);
  const step = ticks(high - low, 5)[1] ?? high - low;
  const marks = Array.from({ length: 12 }, (_, i) => Number(((Math.ceil(low / step) + i) * step).toPrecision(6)));
  return (
    <svg className="chart" width={width} height={HEIGHT} role="img" aria-label="Distribution of latencies">
      <path className="gridline" d={`M0 40.5h${width}M0 90.5h${width}`} />
      {(["before", "after"] as const).map((side) => (
        <Bars key={side} profile={sides[side]} side={side} x={x} scale={(BASE - TOP) / tallest} />
      ))}
      <path className="axis" d={`M0 ${BASE + 0.5}h${width}`} />
      {marks
        .filter((ms) => x(ms) > 8 && x(ms) < width - 24)
        .map((ms) => (
          <text key={ms} x={x(ms)} y={156} textAnchor="middle">
            {ms}
          </text>
        ))}
      <text x={width} y={156} textAnchor="end">
        ms
      </text>
      <Percentiles profile={sides.after ?? sides.before} x={x} width={width} />
    </svg>
  );
}

interface BarsProps {
  readonly profile: ProfileFigures | undefined;
  readonly side: "before" | "after";
  readonly x: (ms: number) => number;
  /** Pixels for one measurement a millisecond wide. */
  readonly scale: number;
}

function Bars({ profile, side, x, scale }: BarsProps) {
  if (!profile?.histogram) return null;
  const { startMs, binMs, counts } = profile.histogram;
  return (
    <g className={side === "after" ? "a" : "b"} opacity={side === "after" ? 0.85 : 0.55}>
      {counts.map((count, bin) => {
        const from = startMs + bin * binMs;
        const height = (count / binMs) * scale;
        const left = x(from);
        const right = x(from + binMs);
        return count === 0 || right < 0 ? null : (
          <rect key={from} x={left} y={BASE - height} width={Math.max(1, right - left - 1)} height={height} />
        );
      })}
    </g>
  );
}

interface PercentileProps {
  readonly profile: ProfileFigures | undefined;
  readonly x: (ms: number) => number;
  readonly width: number;
}

function Percentiles({ profile, x, width }: PercentileProps) {
  const marks = [
    ["p50", profile?.p50Ms],
    ["p90", profile?.p90Ms],
    ["p99", profile?.p99Ms],
  ] as const;
  return marks.map(([name, ms], row) => {
    if (ms === undefined) return null;
    const beyond = x(ms) > width;
    const at = Math.min(x(ms), width);
    const left = at > width - 80;
    return (
      <g key={name}>
        {!beyond && <path className="percentile" d={`M${at} ${row * 14 + 3}V${BASE}`} />}
        <text className="strong" x={left ? at - 5 : at + 5} y={row * 14 + 12} textAnchor={left ? "end" : "start"}>
          {name} {milliseconds(ms)}
          {beyond && " ›"}
        </text>
      </g>
    );
  });
}
