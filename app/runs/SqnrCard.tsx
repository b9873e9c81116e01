"use client";
/** Signal to quantization noise of each layer, worst first: where the accuracy goes. */
import { significant } from "../results/format.ts";
import { ProvenanceBadge } from "../results/ProvenanceBadge.tsx";
import { Empty } from "./parts.tsx";
import type { LayerNoise } from "./reports.ts";
import { useWidth } from "./useWidth.ts";

const ROW = 24;
const LABELS = 164;
const FIGURES = 70;
/** Below this a layer's noise shows in the outputs; below the second it drowns the signal. */
const DOUBTFUL_DB = 20;
const BAD_DB = 10;

export function SqnrCard({ noise }: { readonly noise: LayerNoise | undefined }) {
  const layers = noise?.layers ?? [];
  const [ref, width] = useWidth();
  const best = Math.max(...layers.map((layer) => layer.sqnrDb), 40);
  const x = (db: number) => LABELS + (Math.max(0, db) / best) * Math.max(20, width - LABELS - FIGURES);
  return (
    <section className="card span-4">
      <header>
        <h2>SQNR per layer</h2>
        <ProvenanceBadge provenance={noise && (noise.kind === "measured" ? "measured" : "estimated")} />
        <span className="grow" />
        <span className="hint">worst first{layers.length > 0 && ` · ${layers.length} layers`}</span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <div className="pad scroll" ref={ref} tabIndex={0}>
        {layers.length === 0 ? (
          <Empty>No per-layer noise in this run</Empty>
        ) : (
          <svg className="chart" width={width} height={layers.length * ROW} role="img" aria-label="SQNR per layer">
            {layers.map((layer, index) => (
              <g key={layer.node} transform={`translate(0 ${index * ROW})`}>
                <title>{layer.node}</title>
                <text className="m" y={14}>
                  {layer.node.length > 24 ? `…${layer.node.slice(-23)}` : layer.node}
                </text>
                <path className="gridline" d={`M${LABELS} 10.5H${width - FIGURES}`} />
                <circle className={toneOf(layer.sqnrDb)} cx={x(layer.sqnrDb)} cy={10.5} r={4} />
                <text className="strong" x={width} y={14} textAnchor="end">
                  {significant(layer.sqnrDb)} dB
                </text>
              </g>
            ))}
          </svg>
        )}
      </div>
    </section>
  );
}

const toneOf = (db: number) => (db < BAD_DB ? "e" : db < DOUBTFUL_DB ? "w" : "a");
