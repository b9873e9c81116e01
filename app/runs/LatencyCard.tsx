"use client";
import { milliseconds } from "../results/format.ts";
/** How the measured latencies are spread, candidate over baseline, with the percentiles that matter. */
import { ProvenanceBadge } from "../results/ProvenanceBadge.tsx";
import { Empty, Key } from "./parts.tsx";
import type { ProfileFigures, Sides } from "./reports.ts";
import { ticks } from "./timeline.ts";
import { useWidth } from "./useWidth.ts";

const HEIGHT = 172;
const BASE = 140;
const TOP = 44;

export function LatencyCard({ sides }: { readonly sides: Sides<ProfileFigures> }) {
  const [ref, width] = useWidth();
  const shown = [sides.before, sides.after].filter((p) => p?.histogram !== undefined);
  return (
    <section className="card span-4" data-testid="latency-card">
      <header>
        <h2>Latency</h2>
        <ProvenanceBadge provenance={(sides.after ?? sides.before)?.provenance} />
        <span className="grow" />
        <Key sides={sides} />
      </header>
      <div className="pad" ref={ref}>
        {shown.length === 0 ? <Empty>No profile in this run</Empty> : <Histograms sides={sides} width={width} />}
      </div>
    </section>
  );
}

function Histograms({ sides, width }: { readonly sides: Sides<ProfileFigures>; readonly width: number }) {
  const both = [sides.before, sides.after].flatMap((p) => (p?.histogram ? [p.histogram] : []));
  const low = Math.min(...both.map((h) => h.startMs));
  const high = Math.max(...both.map((h) => h.startMs + h.binMs * h.counts.length));
  const margin = (high - low) * 0.04;
  const x = (ms: number) => ((ms - low + margin) / (high - low + 2 * margin)) * width;
  const tallest = Math.max(...both.flatMap((h) => h.counts.map((count) => count / h.binMs)));
  const marks = ticks(high - low + margin, 5).map((t) => t + Math.ceil(low));
  return (
    <svg className="chart" width={width} height={HEIGHT} role="img" aria-label="Distribution of latencies">
      <path className="gridline" d={`M0 40.5h${width}M0 90.5h${width}`} />
      {(["before", "after"] as const).map((side) => {
        const histogram = sides[side]?.histogram;
        if (!histogram) return null;
        const { startMs, binMs, counts } = histogram;
        return (
          <g key={side} className={side === "after" ? "a" : "b"} opacity={side === "after" ? 0.85 : 0.55}>
            {counts.map((count, bin) => {
              const height = (count / binMs / tallest) * (BASE - TOP);
              const left = x(startMs + bin * binMs);
              const right = x(startMs + (bin + 1) * binMs);
              return count === 0 ? null : (
                // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
                <rect key={bin} x={left} y={BASE - height} width={Math.max(1, right - left - 1)} height={height} />
              );
            })}
          </g>
        );
      })}
      <path className="axis" d={`M0 ${BASE + 0.5}h${width}`} />
      {marks
        .filter((ms) => ms <= high + margin && x(ms) < width - 24)
        .map((ms) => (
          <text key={ms} x={x(ms)} y={156} textAnchor="middle">
            {milliseconds(ms).replace(/\.?0+$/, "") || "0"}
          </text>
        ))}
      <text x={width} y={156} textAnchor="end">
        ms
      </text>
      <Percentiles sides={sides} x={x} width={width} />
    </svg>
  );
}

interface PercentileProps {
  readonly sides: Sides<ProfileFigures>;
  readonly x: (ms: number) => number;
  readonly width: number;
}

function Percentiles({ sides, x, width }: PercentileProps) {
  const main = sides.after ?? sides.before;
  const marks = [
    ["p50", main?.p50Ms],
    ["p90", main?.p90Ms],
    ["p99", main?.p99Ms],
  ] as const;
  return marks.map(([name, ms], row) => {
    if (ms === undefined) return null;
    const at = x(ms);
    const left = at > width - 70;
    return (
      <g key={name}>
        <path className="percentile" d={`M${at} ${row * 14 + 3}V${BASE}`} />
        <text className="strong" x={left ? at - 5 : at + 5} y={row * 14 + 12} textAnchor={left ? "end" : "start"}>
          {name} {milliseconds(ms)}
        </text>
      </g>
    );
  });
}
