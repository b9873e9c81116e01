"use client";
/** Where the time goes, by type of operator. */
import { milliseconds, NONE } from "../results/format.ts";
import { ProvenanceBadge } from "../results/ProvenanceBadge.tsx";
import { Empty } from "./parts.tsx";
import { operatorRows, type ProfileFigures, type Sides } from "./reports.ts";
import { useWidth } from "./useWidth.ts";

const ROWS = 8;
const ROW = 21;
const LABELS = 148;
const FIGURES = 88;

export function OperatorCard({ sides }: { readonly sides: Sides<ProfileFigures> }) {
  const [ref, width] = useWidth();
  const rows = operatorRows(sides, ROWS);
  const longest = Math.max(...rows.flatMap((row) => [row.before ?? 0, row.after ?? 0]), 1e-9);
  const bar = (ms: number | undefined) => ((ms ?? 0) / longest) * Math.max(20, width - LABELS - FIGURES);
  return (
    <section className="card span-4">
      <header>
        <h2>Time per operator</h2>
        <ProvenanceBadge provenance={(sides.after ?? sides.before)?.provenance} />
        <span className="grow" />
        <span className="hint">{sides.before ? "FP32 · candidate, ms" : "ms"}</span>
      </header>
      <div className="pad" ref={ref}>
        {rows.length === 0 ? (
          <Empty>No per-operator times in this run</Empty>
        ) : (
          <svg className="chart" width={width} height={172} role="img" aria-label="Time per operator">
            {rows.map((row, index) => (
              <g key={row.opType} transform={`translate(0 ${index * ROW})`}>
                <text y={13}>{row.opType.slice(0, 24)}</text>
                {sides.before && (
                  <>
                    <rect className="b" opacity={0.55} x={LABELS} y={3} width={bar(row.before)} height={6} rx={1} />
                    <text x={width - 40} y={13} textAnchor="end">
                      {row.before === undefined ? NONE : milliseconds(row.before)}
                    </text>
                  </>
                )}
                <rect className="a" x={LABELS} y={sides.before ? 10 : 5} width={bar(row.after)} height={6} rx={1} />
                <text className="strong" x={width} y={13} textAnchor="end">
                  {row.after === undefined ? NONE : milliseconds(row.after)}
                </text>
              </g>
            ))}
          </svg>
        )}
      </div>
    </section>
  );
}
